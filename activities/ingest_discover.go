package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/asset"
	"github.com/optria-iq/optria/internal/connector"
	"github.com/optria-iq/optria/internal/fault"
)

// Bounds of a listing. What a source has beyond them is not listed, and the
// listing says so; such tags can still be typed.
const (
	nodesAtMost    = 200_000
	depthAtMost    = 12
	addressAtMost  = 400
	nameAtMost     = 400
	pathAtMost     = 2000
	nodesPerChunk  = 2000
	listingAtMost  = 10 * time.Minute
	failedBranches = 20 // folders that cannot be listed before the listing fails
)

// KeyTreeTooLarge says that a tree has more nodes than are listed.
const KeyTreeTooLarge = "connector.fault.tree_too_large"

// DiscoverResult says what a listing found.
type DiscoverResult struct {
	Nodes, Leaves, Gone int64
	Complete            bool
}

// DiscoverTags lists the tree of a source into integration_nodes, level by
// level, so that it can be searched and counted without asking the source.
// After a complete listing what it did not see is marked as gone. A failure of
// the source is written to the integration and is no failure of the activity.
func (a *Ingest) DiscoverTags(ctx context.Context, ref IntegrationRef) (DiscoverResult, error) {
	var result DiscoverResult
	t, err := a.load(ctx, ref)
	if err != nil || t.integration.State == "archived" {
		return result, err
	}
	w := &walk{Ingest: a, t: t, seen: map[string]bool{}, walked: map[string]bool{}, started: time.Now().UTC()}
	cause := beating(ctx, w.list)
	if ctx.Err() != nil {
		return result, ctx.Err()
	}
	if w.failed != nil { // of the database
		return result, w.failed
	}
	key := ""
	if cause != nil {
		key = connector.MessageKey(cause)
		activity.GetLogger(ctx).Info("listing of a tree ended early", "integration", ref.IntegrationID, "cause", cause)
	}
	result = DiscoverResult{Nodes: w.nodes, Leaves: w.leaves, Complete: cause == nil}
	err = a.deps.DB.InTenant(ctx, ref.TenantID, func(ctx context.Context, tx pgx.Tx, q *db.Queries) (err error) {
		if result.Complete {
			if result.Gone, err = q.MarkNodesGone(ctx, tx, ref.TenantID, ref.IntegrationID, w.started); err != nil {
				return err
			}
		}
		return q.RecordDiscovery(ctx, tx, key, ref.TenantID, ref.IntegrationID)
	})
	if err != nil {
		return result, fmt.Errorf("record listing: %w", err)
	}
	return result, nil
}

// walk goes through the tree of a source, breadth first.
type walk struct {
	*Ingest
	t             *target
	started       time.Time
	seen, walked  map[string]bool // addresses kept and folders listed, so that a tree with cycles ends
	chunk         []db.IntegrationNode
	nodes, leaves int64
	failed        error // of the database
}

// folder is a node whose children are to be listed.
type folder struct {
	address, path string
	depth         int
}

// list returns why the listing is not complete, or nil.
func (w *walk) list(ctx context.Context) error {
	opened, err := w.open(w.t)
	if err != nil {
		return err
	}
	defer opened.Close()
	browser, ok := opened.(connector.Browser)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, listingAtMost, fault.New(fault.Unavailable, KeyTreeTooLarge))
	defer cancel()
	err = w.branches(ctx, browser)
	if len(w.chunk) > 0 && w.failed == nil {
		err = errors.Join(err, w.store(ctx))
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (w *walk) branches(ctx context.Context, browser connector.Browser) error {
	queue := []folder{{}}
	var broken []error
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		children, err := browser.Browse(ctx, at.address)
		if err != nil {
			broken = append(broken, fmt.Errorf("browse %q: %w", at.address, err))
			if at.depth == 0 || ctx.Err() != nil || len(broken) >= failedBranches {
				return errors.Join(broken...)
			}
			continue // one folder that is closed to us does not hide the others
		}
		// A variable with children is a leaf and a folder of one address: the leaf
		// is kept, the folder only walked.
		slices.SortStableFunc(children, func(a, b connector.Node) int { return cmp.Compare(rank(a), rank(b)) })
		for _, child := range children {
			if w.nodes >= nodesAtMost {
				return fault.New(fault.Unavailable, KeyTreeTooLarge)
			}
			below, err := w.take(ctx, at, child)
			if err != nil {
				return err
			}
			if below != nil {
				queue = append(queue, *below)
			}
		}
		activity.RecordHeartbeat(ctx, w.nodes)
	}
	return errors.Join(broken...)
}

// take keeps one node and returns it as a folder when its children are to be
// listed.
func (w *walk) take(ctx context.Context, at folder, n connector.Node) (*folder, error) {
	if n.Address == "" || utf8.RuneCountInString(n.Address) > addressAtMost || !utf8.ValidString(n.Address) || strings.ContainsRune(n.Address, 0) {
		return nil, nil
	}
	name := cut(n.Name, nameAtMost)
	if name == "" {
		name = n.Address
	}
	path := cut(strings.TrimPrefix(at.path+"/"+name, "/"), pathAtMost)
	var below *folder
	if !n.Leaf && !w.walked[n.Address] && at.depth+1 < depthAtMost {
		w.walked[n.Address] = true
		below = &folder{address: n.Address, path: path, depth: at.depth + 1}
	}
	if w.seen[n.Address] {
		return below, nil
	}
	w.seen[n.Address] = true
	w.chunk = append(w.chunk, db.IntegrationNode{
		Address: n.Address, Parent: at.address, Name: name, Path: path, Leaf: n.Leaf, Unit: cut(n.Unit, nameAtMost), DataType: cut(n.DataType, nameAtMost),
		Low: n.Low, High: n.High, SearchText: asset.Fold(path + " " + n.Address),
	})
	w.nodes++
	if n.Leaf {
		w.leaves++
	}
	if len(w.chunk) >= nodesPerChunk {
		if err := w.store(ctx); err != nil {
			return nil, err
		}
	}
	return below, nil
}

func rank(n connector.Node) int {
	if n.Leaf {
		return 0
	}
	return 1
}

func (w *walk) store(ctx context.Context) error {
	i := w.t.integration
	w.failed = w.storing(ctx, i.TenantID, func(ctx context.Context, tx pgx.Tx, _ *db.Queries) error {
		return db.WriteNodes(ctx, tx, i.TenantID, i.ID, w.chunk)
	})
	w.chunk = w.chunk[:0]
	return w.failed
}

// cut shortens a text of a source to what is kept of it. The database takes
// neither zero bytes nor broken letters.
func cut(text string, most int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "�"), "\x00", "")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}
