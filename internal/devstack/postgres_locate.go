package devstack

import (
	"context"
	"errors"
	"os"
)

// ErrNoPostgres means that no PostgreSQL server program was found.
var ErrNoPostgres = errors.New("no PostgreSQL 15 or newer was found")

// LocatePostgres returns the directory of the server programs that a private
// cluster would use, without fetching any.
func LocatePostgres(ctx context.Context) (string, error) {
	dirs := cluster{}.candidates()
	if chosen := os.Getenv("OPTRIA_PG_BIN"); chosen != "" {
		dirs = []string{chosen}
	}
	for _, dir := range dirs {
		if b, err := inspect(ctx, dir); err == nil && b.major >= oldestMajor {
			return b.dir, nil
		}
	}
	return "", ErrNoPostgres
}
