package workflows

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/optria-iq/optria/internal/i18n"
)

// activityType finds the types of activities in a recorded history.
var activityType = regexp.MustCompile(`"activityType":\s*\{\s*"name":\s*"(\w+)"`)

// shownWorkflows are the workflows whose history people read in the product.
var shownWorkflows = map[string]bool{"Optimization": true, "PlanApproval": true, "Release": true, "RecurringStart": true}

// TestEveryStepThatPeopleReadHasWords reads the recorded histories: who adds a
// step to one of these workflows records it anew and is told to word it.
func TestEveryStepThatPeopleReadHasWords(t *testing.T) {
	t.Parallel()
	catalog, err := i18n.New()
	require.NoError(t, err)
	files, err := filepath.Glob("testdata/replay/*.json")
	require.NoError(t, err)
	worded := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if !shownWorkflows[string(firstType.FindSubmatch(text)[1])] {
			continue
		}
		for _, found := range activityType.FindAllSubmatch(text, -1) {
			require.True(t, catalog.Has("history.step."+string(found[1])), "%s: history.step.%s has no text in messages/history.json", file, found[1])
			worded++
		}
	}
	require.Greater(t, worded, 10)
}
