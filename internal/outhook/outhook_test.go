package outhook_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/netguard"
	"github.com/optria-iq/optria/internal/outhook"
)

const (
	current = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	former  = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

var event = outhook.Message{ID: "evt-1", Type: "plan.proposed", At: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC), Data: json.RawMessage(`{"title":"خطة"}`)}

// sender reaches this machine and, by its list, the metadata address too, which
// the guard keeps closed all the same.
func sender(t *testing.T) *outhook.Sender {
	t.Helper()
	guard, err := netguard.Parse("127.0.0.0/8, 169.254.0.0/16")
	require.NoError(t, err)
	return outhook.NewSender(guard.Dialer())
}

func receiver(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server.URL
}

func TestBothSecretsVerifyDuringARotation(t *testing.T) {
	t.Parallel()
	var body []byte
	var header http.Header
	url := receiver(t, func(_ http.ResponseWriter, r *http.Request) { body, _ = io.ReadAll(r.Body); header = r.Header })
	out := sender(t).Send(t.Context(), url, []string{current, former}, event)
	require.Empty(t, out.Problem)
	require.Equal(t, http.StatusOK, out.Status)
	require.JSONEq(t, `{"type":"plan.proposed","timestamp":"2026-11-03T09:00:00Z","data":{"title":"خطة"}}`, string(body))
	require.Equal(t, "evt-1", header.Get("webhook-id"))
	for _, secret := range []string{current, former} {
		verifier, err := standardwebhooks.NewWebhook(secret)
		require.NoError(t, err)
		require.NoError(t, verifier.Verify(body, header))
		require.Error(t, verifier.Verify(append([]byte(" "), body...), header), "a changed body is refused")
	}
	stranger, err := standardwebhooks.NewWebhook("whsec_" + strings.Repeat("AAAA", 8))
	require.NoError(t, err)
	require.ErrorIs(t, stranger.Verify(body, header), standardwebhooks.ErrNoMatchingSignature)
}

func TestEveryFailureHasItsName(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	metadata := 0
	untrusted := httptest.NewTLSServer(status(http.StatusOK))
	t.Cleanup(untrusted.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, c := range map[string]struct{ url, problem string }{
		"fails":           {receiver(t, status(http.StatusInternalServerError)), outhook.ProblemStatus},
		"gone":            {receiver(t, status(http.StatusGone)), outhook.ProblemGone},
		"metadata":        {"https://169.254.169.254/latest", outhook.ProblemRefused},
		"private":         {"https://10.1.2.3/hook", outhook.ProblemRefused},
		"untrusted":       {untrusted.URL, outhook.ProblemTLS},
		"nobody listens":  {closed.URL, outhook.ProblemConnect},
		"no such name":    {"https://receiver.invalid/", outhook.ProblemName},
		"http far away":   {"http://receiver.example/", outhook.ProblemAddress},
		"breaks off":      {receiver(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), outhook.ProblemConnect},
		"endless headers": {receiver(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }), outhook.ProblemConnect},
		"leads to secrets": {receiver(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect)
		}), outhook.ProblemRedirect},
		"leads elsewhere": {receiver(t, func(w http.ResponseWriter, r *http.Request) {
			metadata++
			http.Redirect(w, r, "/again", http.StatusPermanentRedirect)
		}), outhook.ProblemRedirect},
	} {
		out := sender(t).Send(t.Context(), c.url, []string{current}, event)
		require.Equal(t, c.problem, out.Problem, name)
	}
	require.Equal(t, 1, metadata, "a redirect is not followed")
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	endless := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	out := sender(t).Send(t.Context(), endless, []string{current}, event)
	require.Empty(t, out.Problem, "the body of an answer is not read")

	silent := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server sees the caller leave
		<-r.Context().Done()
	})
	out = sender(t).Send(t.Context(), silent, []string{current}, event)
	require.Equal(t, outhook.ProblemTimeout, out.Problem)
	require.GreaterOrEqual(t, out.Took, outhook.Within)
}

func TestASecretThatIsNoneSendsNothing(t *testing.T) {
	t.Parallel()
	asked := false
	url := receiver(t, func(http.ResponseWriter, *http.Request) { asked = true })
	require.Equal(t, outhook.ProblemSecret, sender(t).Send(t.Context(), url, []string{"whsec_%%%"}, event).Problem)
	require.Equal(t, outhook.ProblemSecret, sender(t).Send(t.Context(), url, nil, event).Problem)
	require.False(t, asked)
}

func TestWithoutADialerOnlyPublicAddressesAreReached(t *testing.T) {
	t.Parallel()
	url := receiver(t, func(http.ResponseWriter, *http.Request) {})
	require.Equal(t, outhook.ProblemRefused, outhook.NewSender(nil).Send(t.Context(), url, []string{current}, event).Problem)
}

func TestAddressesAreCheckedBeforeTheyAreStored(t *testing.T) {
	t.Parallel()
	for address, key := range map[string]string{
		"https://erp.example/hooks?tenant=1": "", "http://127.0.0.1:9000/": "", "http://localhost/": "", "http://[::1]/": "",
		"http://erp.example/": "webhooks.url.https", "http://localhost.evil.example/": "webhooks.url.https",
		"ftp://erp.example/": "webhooks.url.wrong", "https://user:pass@erp.example/": "webhooks.url.wrong", "https:///x": "webhooks.url.wrong",
		"https://erp.example/#x": "webhooks.url.wrong", "erp.example": "webhooks.url.wrong", "https://erp.example/" + strings.Repeat("x", 2000): "field.long",
	} {
		require.Equal(t, key, outhook.CheckURL(address), address)
	}
}

func TestPausesGrowToAboutThreeDays(t *testing.T) {
	t.Parallel()
	var total, last time.Duration
	for attempt := 1; attempt < outhook.Attempts; attempt++ {
		pause, again := outhook.Wait(attempt)
		require.True(t, again)
		require.Greater(t, pause, last*8/10)
		total, last = total+pause, pause
	}
	require.InDelta(t, 3*24, total.Hours(), 12)
	_, again := outhook.Wait(outhook.Attempts)
	require.False(t, again)
}
