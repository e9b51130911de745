package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/optria-iq/optria/db"
	"github.com/optria-iq/optria/internal/secret"
)

const secretsUsage = "use: optria secrets status | rotate [--standby | --promote | --reseal] | drop --key ID"

// encryption names the key that encrypts the keyset of this environment.
func encryption() secret.Encryption {
	return secret.Encryption{URI: os.Getenv("OPTRIA_SECRET_KEK_URI"), Token: os.Getenv("OPTRIA_SECRET_KEK_TOKEN")}
}

// runSecrets looks after the keys that seal the credentials of integrations.
func runSecrets(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New(secretsUsage)
	}
	kek, err := encryption().Open(ctx)
	if err != nil {
		return err
	}
	encoded := os.Getenv("OPTRIA_SECRET_KEYSET")
	if encoded == "" {
		return errors.New("OPTRIA_SECRET_KEYSET is not set: make one with `optria doctor --new-keyset`")
	}
	switch args[0] {
	case "status":
		return secretsStatus(ctx, encoded, kek, os.Stdout)
	case "rotate":
		return secretsRotate(ctx, args[1:], encoded, kek)
	case "drop":
		return secretsDrop(ctx, args[1:], encoded, kek)
	}
	return errors.New(secretsUsage)
}

// secretsRotate prints a changed keyset to standard output, or seals what is
// stored anew. What to do next goes to standard error.
func secretsRotate(ctx context.Context, args []string, encoded string, kek tink.AEAD) error {
	flags := flag.NewFlagSet("secrets rotate", flag.ContinueOnError)
	standby := flags.Bool("standby", false, "add a key that does not seal yet, for every process to know before one uses it")
	promote := flags.Bool("promote", false, "let the newest key seal from now on")
	reseal := flags.Bool("reseal", false, "seal every stored credential anew under the primary key")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case *standby && *promote, *reseal && (*standby || *promote):
		return errors.New(secretsUsage)
	case *reseal:
		return secretsReseal(ctx, encoded, kek, os.Stdout)
	}
	keys, err := secret.ParseAny(encoded, kek)
	if err != nil {
		return err
	}
	if *promote {
		keys, err = keys.Promote()
	} else {
		keys, err = keys.Add(!*standby)
	}
	if err != nil {
		return err
	}
	return printKeyset(keys, kek, os.Stdout, os.Stderr)
}

func printKeyset(keys secret.Keyset, kek tink.AEAD, out, advice io.Writer) error {
	text, err := keys.Encode(kek)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, text)
	fmt.Fprintf(advice, "Keys %v, primary %d. Set OPTRIA_SECRET_KEYSET to this for every process and restart them; then run `optria secrets rotate --reseal`.\n",
		keys.Keys(), keys.Primary())
	return nil
}

// withDatabase opens the database for a command without a statement timeout.
func withDatabase(ctx context.Context, work func(*db.DB) error) error {
	url, err := databaseURL()
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, url, db.Config{StatementTimeout: -1})
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer d.Close()
	return work(d)
}

func secretsReseal(ctx context.Context, encoded string, kek tink.AEAD, out io.Writer) error {
	keys, err := secret.Parse(encoded, kek)
	if err != nil {
		return err
	}
	box, err := keys.Box()
	if err != nil {
		return err
	}
	return withDatabase(ctx, func(d *db.DB) error {
		done, err := resealAll(ctx, d, box)
		fmt.Fprintf(out, "%d credentials sealed anew under key %d, %d were already, %d cannot be opened with this keyset\n", done.resealed, keys.Primary(), done.current, done.lost)
		if err == nil && done.lost > 0 {
			return errExit(3)
		}
		return err
	})
}

// secretsStatus says how many credentials each key has sealed. Exit code 3
// means that some are sealed by a key that the keyset lacks.
func secretsStatus(ctx context.Context, encoded string, kek tink.AEAD, out io.Writer) error {
	keys, err := secret.Parse(encoded, kek)
	if err != nil {
		return err
	}
	return withDatabase(ctx, func(d *db.DB) error {
		counts, err := countSealed(ctx, d)
		if err != nil {
			return err
		}
		foreign := printStatus(keys, counts, out)
		if foreign > 0 {
			return errExit(3)
		}
		return nil
	})
}

// printStatus lists the keys and returns how many credentials belong to none.
func printStatus(keys secret.Keyset, counts map[uint32]int, out io.Writer) (foreign int) {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tROLE\tCREDENTIALS")
	for _, id := range keys.Keys() {
		role := "opens"
		if id == keys.Primary() {
			role = "seals"
		}
		fmt.Fprintf(table, "%d\t%s\t%d\n", id, role, counts[id])
	}
	for id, n := range counts {
		if !slices.Contains(keys.Keys(), id) {
			fmt.Fprintf(table, "%d\tnot in the keyset\t%d\n", id, n)
			foreign += n
		}
	}
	_ = table.Flush()
	return foreign
}

// secretsDrop prints the keyset without a key that seals nothing any more.
func secretsDrop(ctx context.Context, args []string, encoded string, kek tink.AEAD) error {
	flags := flag.NewFlagSet("secrets drop", flag.ContinueOnError)
	key := flags.String("key", "", "id of the key, as `optria secrets status` lists it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	id, err := strconv.ParseUint(*key, 10, 32)
	if err != nil {
		return errors.New(secretsUsage)
	}
	keys, err := secret.Parse(encoded, kek)
	if err != nil {
		return err
	}
	next, err := keys.Drop(uint32(id))
	if err != nil {
		return err
	}
	return withDatabase(ctx, func(d *db.DB) error {
		counts, err := countSealed(ctx, d)
		if err != nil {
			return err
		}
		if n := counts[uint32(id)]; n > 0 {
			return fmt.Errorf("%d credentials are sealed by key %d: run `optria secrets rotate --reseal` first", n, id)
		}
		return printKeyset(next, kek, os.Stdout, os.Stderr)
	})
}
