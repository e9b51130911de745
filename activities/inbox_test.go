package activities

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// lineReceiver reads messages of lines "tag,minutes ago,value". A line that is
// none is refused, and a message that begins with "!" fails as a whole.
type lineReceiver struct{ read int }

const keyNoLine = "test.no_line"

func (l *lineReceiver) Receive(ctx context.Context, m connector.Message) (connector.Received, error) {
	l.read++
	var out connector.Received
	if strings.HasPrefix(string(m.Body), "!") {
		return out, fault.New(fault.Invalid, connector.KeyProtocol)
	}
	for n, line := range strings.Split(string(m.Body), "\n") {
		parts := strings.Split(line, ",")
		if len(parts) != 3 {
			out.Refused = append(out.Refused, connector.Refusal{Where: strconv.Itoa(n + 1), Key: keyNoLine, Value: line})
			continue
		}
		back, err := strconv.Atoi(parts[1])
		if err != nil {
			return out, err
		}
		value, err := strconv.ParseFloat(parts[2], 64)
		if err != nil {
			return out, err
		}
		out.Readings = append(out.Readings, connector.Reading{ExternalTag: parts[0], Value: value, Quality: asset.Good,
			Time: m.ReceivedAt.UTC().Truncate(time.Minute).Add(-time.Duration(back) * time.Minute)})
	}
	return out, ctx.Err()
}

// inbox is an integration of the plant with messages to process.
type inbox struct {
	*plantFixture
	ref IntegrationRef
	tag string
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	f := newPlant(t)
	b := &inbox{plantFixture: f, ref: f.polled()}
	b.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		return tx.QueryRow(ctx, `SELECT external_tag FROM core.integration_mappings WHERE tenant_id = $1 AND integration_id = $2 AND archived_at IS NULL ORDER BY 1 LIMIT 1`,
			f.tenant, b.ref.IntegrationID).Scan(&b.tag)
	})
	return b
}

func (b *inbox) put(id, body string) {
	b.t.Helper()
	sum := sha256.Sum256([]byte(body))
	b.exec(`INSERT INTO core.integration_messages (tenant_id, integration_id, message_id, digest, size_bytes, body, received_at) VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())`,
		b.tenant, b.ref.IntegrationID, id, sum[:], len(body), []byte(body))
}

func (b *inbox) process(r connector.Receiver) inboxResult {
	b.t.Helper()
	return b.processUntil(time.Now().Add(time.Minute), r)
}

// processUntil processes the inbox within an activity, as the worker does.
func (b *inbox) processUntil(deadline time.Time, r connector.Receiver) (result inboxResult) {
	b.t.Helper()
	env := b.env()
	work := func(ctx context.Context) (inboxResult, error) {
		loaded, err := b.set.Ingest.load(ctx, b.ref)
		if err != nil {
			return inboxResult{}, err
		}
		return b.set.Ingest.processInbox(ctx, loaded, r, deadline)
	}
	env.RegisterActivityWithOptions(work, activity.RegisterOptions{Name: "process-inbox"})
	value, err := env.ExecuteActivity("process-inbox")
	require.NoError(b.t, err)
	require.NoError(b.t, value.Get(&result))
	return result
}

func (b *inbox) state(id string) (state, failure string, refusals []map[string]string, kept bool) {
	b.t.Helper()
	b.in(func(ctx context.Context, tx pgx.Tx, q *db.Queries) error {
		var raw json.RawMessage
		err := tx.QueryRow(ctx, `SELECT state, error, refusals, body IS NOT NULL FROM core.integration_messages WHERE tenant_id = $1 AND message_id = $2`, b.tenant, id).
			Scan(&state, &failure, &raw, &kept)
		return errors.Join(err, json.Unmarshal(raw, &refusals))
	})
	return state, failure, refusals, kept
}

func TestInboxTurnsMessagesIntoReadings(t *testing.T) {
	b := newInbox(t)
	b.put("good", b.tag+",7,1.5\n"+b.tag+",6,2.5")
	b.put("part", b.tag+",5,3.5\nnonsense\x00\nno.such.tag,5,1\n"+b.tag+",1000000,1")
	b.put("failed", "!")
	b.put("last", b.tag+",7,99\n"+b.tag+",4,4.5") // the first value of an instant stays
	before := b.count(`SELECT rows_total FROM core.integrations WHERE tenant_id = $1 AND id = $2`, b.tenant, b.ref.IntegrationID)
	receiver := &lineReceiver{}
	require.Equal(t, inboxResult{Messages: 4, Failed: 1, Written: 4, Rejected: 3}, b.process(receiver))

	state, failure, refusals, kept := b.state("good")
	require.Equal(t, []any{"done", "", false}, []any{state, failure, kept})
	require.Empty(t, refusals)
	state, _, refusals, kept = b.state("part")
	require.Equal(t, []any{"partial", false}, []any{state, kept})
	require.Equal(t, []map[string]string{{"where": "2", "key": keyNoLine, "value": "nonsense�"}, {"key": keyUnmapped, "value": "no.such.tag"},
		{"key": keyOutsideTimes, "value": "1"}}, refusals)
	state, failure, _, kept = b.state("failed")
	require.Equal(t, []any{"failed", connector.KeyProtocol, true}, []any{state, failure, kept}, "a person may mend the settings and try again")
	require.Equal(t, before+4, b.count(`SELECT rows_total FROM core.integrations WHERE tenant_id = $1 AND id = $2`, b.tenant, b.ref.IntegrationID))

	require.Equal(t, inboxResult{}, b.process(receiver), "nothing is processed twice")
	require.Equal(t, 4, receiver.read)
	require.Equal(t, 1, b.count(`SELECT count(*) FROM core.integration_syncs WHERE tenant_id = $1 AND integration_id = $2 AND status = 'partial' AND rows_written = 4 AND rows_bad = 3`,
		b.tenant, b.ref.IntegrationID), "one record for the messages of one look")
}

func TestInboxErasesFailedBodiesAfterAWeek(t *testing.T) {
	b := newInbox(t)
	b.put("failed", "!")
	b.process(&lineReceiver{})
	b.process(&lineReceiver{})
	_, _, _, kept := b.state("failed")
	require.True(t, kept)
	b.exec(`UPDATE core.integration_messages SET processed_at = now() - interval '8 days' WHERE tenant_id = $1`, b.tenant)
	b.process(&lineReceiver{})
	_, _, _, kept = b.state("failed")
	require.False(t, kept)
}

// Two workers at once store each message once.
func TestInboxOfTwoWorkers(t *testing.T) {
	b := newInbox(t)
	for n := range 20 {
		b.put("m"+strconv.Itoa(n), b.tag+","+strconv.Itoa(n+1)+",1")
	}
	results := make([]inboxResult, 2)
	var both sync.WaitGroup
	for w := range results {
		both.Go(func() { results[w] = b.process(&lineReceiver{}) })
	}
	both.Wait()
	require.EqualValues(t, 20, results[0].Messages+results[1].Messages)
	require.EqualValues(t, 20, b.count(`SELECT count(*) FROM core.integration_messages WHERE tenant_id = $1 AND state = 'done' AND body IS NULL`, b.tenant))
}

func TestInboxStopsAtItsDeadlineAndWhenTold(t *testing.T) {
	b := newInbox(t)
	b.put("waits", b.tag+",1,1")
	require.Equal(t, inboxResult{More: true}, b.processUntil(time.Now(), &lineReceiver{}))
	loaded, err := b.set.Ingest.load(t.Context(), b.ref)
	require.NoError(t, err)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.set.Ingest.processInbox(cancelled, loaded, &lineReceiver{}, time.Now().Add(time.Minute))
	require.ErrorIs(t, err, context.Canceled)
	state, _, _, kept := b.state("waits")
	require.Equal(t, []any{"received", true}, []any{state, kept})
}

func TestShortenKeepsWhatTheDatabaseTakes(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ab�c", shorten("ab\x00c"))
	require.Equal(t, "�", shorten("\xff"))
	require.Equal(t, strings.Repeat("م", refusalText)+"…", shorten(strings.Repeat("م", 4000)))
}
