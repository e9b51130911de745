package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/optria-iq/optria/internal/auditchain"
	"github.com/optria-iq/optria/internal/config"
	"github.com/optria-iq/optria/internal/dossier"
	"github.com/optria-iq/optria/internal/dossier/seal"
)

// The exit codes of verify beside 0 (authentic) and 1 (the command failed).
const (
	exitAltered     errExit = 3
	exitUnconfirmed errExit = 4
)

const verifyUsage = `use: optria verify [--key PUBLIC | --url ADDRESS] FILE

Says whether a plan dossier (.html, .pdf) or an audit export (.jsonl) is as the
product sealed it, or names the first difference. Whom to trust is given by
--key, a public key (repeat it for former ones), by --url, the address of the
product that publishes its keys at /verify/keys, or on the product's own
machine by JWT_SECRET_KEY and OPTRIA_SEAL_KEYS. Without --url it needs no
network. --show-key prints the public key of this machine's product.

Exit codes: 0 authentic, 3 changed, 4 unchanged but by a key that is not known.`

// keyFlags collects --key.
type keyFlags seal.Keys

func (k *keyFlags) String() string { return fmt.Sprint(len(*k), " keys") }

func (k *keyFlags) Set(s string) error {
	key, err := seal.ParsePublicKey(s)
	if err != nil {
		return err
	}
	*k = append(*k, key)
	return nil
}

// runVerify checks one sealed file.
func runVerify(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprintln(flags.Output(), verifyUsage) }
	var keys keyFlags
	flags.Var(&keys, "key", "public key of the product that sealed the file")
	address := flags.String("url", "", "address of the product that sealed the file")
	show := flags.Bool("show-key", false, "print the public key of this machine's product")
	files, err := parseMixed(flags, args)
	if err != nil {
		return err
	}
	if *show {
		return showKey()
	}
	if len(files) != 1 {
		flags.Usage()
		return errors.New("give the one file to check")
	}
	trusted, err := trustedKeys(ctx, seal.Keys(keys), *address)
	if err != nil {
		return err
	}
	return verifyFile(os.Stdout, files[0], trusted)
}

// parseMixed lets flags stand before and after the file.
func parseMixed(flags *flag.FlagSet, args []string) (files []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return files, nil
		}
		files, args = append(files, flags.Arg(0)), flags.Args()[1:]
	}
}

// trustedKeys gathers the keys that the caller trusts.
func trustedKeys(ctx context.Context, keys seal.Keys, address string) (seal.Keys, error) {
	if address != "" {
		published, err := fetchKeys(ctx, address)
		if err != nil {
			return nil, err
		}
		keys = append(keys, published...)
	}
	if len(keys) > 0 {
		return keys, nil
	}
	own, former, err := config.Seals(os.Getenv)
	if err != nil || own == nil {
		return former, err
	}
	return append(seal.Keys{own.Public()}, former...), nil
}

// ownKey is the key of the product on this machine.
func ownKey() (seal.Key, error) {
	own, _, err := config.Seals(os.Getenv)
	if err != nil {
		return seal.Key{}, err
	}
	if own == nil {
		return seal.Key{}, errors.New("JWT_SECRET_KEY is not set on this machine")
	}
	return *own, nil
}

func showKey() error {
	key, err := ownKey()
	if err != nil {
		return err
	}
	fmt.Println(key.Public())
	return nil
}

// maxKeyList bounds the answer of /verify/keys in bytes.
const maxKeyList = 64 << 10

// fetchKeys asks a running product for its public keys.
func fetchKeys(ctx context.Context, address string) (seal.Keys, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("--url %q is not an address such as https://optria.example", address)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.JoinPath("verify", "keys").String(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask for keys: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask for keys: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read to its end
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for keys: %s answers %s", request.URL, answer.Status)
	}
	var list struct {
		Keys []struct {
			Key string `json:"key"`
		} `json:"keys"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxKeyList)).Decode(&list); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	var keys seal.Keys
	for _, x := range list.Keys {
		key, err := seal.ParsePublicKey(x.Key)
		if err != nil {
			return nil, fmt.Errorf("read keys: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// verifyFile checks a file and prints the outcome.
func verifyFile(out io.Writer, name string, trusted seal.Keys) error {
	file, err := os.Open(name) // #nosec G304 G703 -- the caller's own file
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	in := bufio.NewReaderSize(file, 1<<16)
	head, err := in.Peek(64)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read file: %w", err)
	}
	if auditchain.IsExport(head) {
		report, err := auditchain.Check(in, trusted)
		if err != nil {
			return err
		}
		return printExport(out, report)
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(in); err != nil {
		return fmt.Errorf("read file: %w", err)
	}
	return printSealed(out, seal.Check(body.Bytes(), trusted))
}

func printSealed(out io.Writer, r seal.Report) error {
	d := r.Difference
	switch {
	case r.Verdict == seal.Unsealed:
		fmt.Fprintln(out, "CHANGED or not a sealed file: there is no seal at its end")
		return exitAltered
	case r.Verdict == seal.Altered && d.Exact:
		fmt.Fprintf(out, "CHANGED: section %s differs at byte %d: it was 0x%02x and is 0x%02x\n", d.Part, d.From, d.Want, d.Found)
		return exitAltered
	case r.Verdict == seal.Altered:
		fmt.Fprintf(out, "CHANGED: section %s differs between bytes %d and %d\n", d.Part, d.From, d.To)
		return exitAltered
	}
	if s, err := dossier.ReadSubject(*r.Seal); err == nil {
		fmt.Fprintf(out, "plan %s version %d of tenant %s\ncontent %s\nmade %s\n", s.Plan, s.Version, s.Tenant, s.Content, s.CreatedAt.Format(time.RFC3339))
	}
	return printVerdict(out, r.Verdict, r.Seal.KeyID, r.Seal.PublicKey)
}

func printExport(out io.Writer, r auditchain.Report) error {
	if r.Verdict == seal.Altered {
		what := fmt.Sprintf("row %d", r.Seq)
		if r.Day != "" {
			what = "root of " + r.Day
		}
		fmt.Fprintf(out, "CHANGED: first broken link at line %d, %s: %s; %d rows and %d roots before it hold\n", r.Line, what, r.Break, r.Rows, r.Roots)
		return exitAltered
	}
	fmt.Fprintf(out, "audit chain of %s: %d rows from %d on, %d roots of days\nlast hash %x\n", r.Code, r.Rows, r.FirstSeq, r.Roots, r.Last.Hash)
	return printVerdict(out, r.Verdict, r.KeyID, r.PublicKey)
}

func printVerdict(out io.Writer, v seal.Verdict, keyID, key string) error {
	if v == seal.Authentic {
		fmt.Fprintf(out, "authentic, unchanged (key %s)\n", keyID)
		return nil
	}
	fmt.Fprintf(out, "unchanged, but the key that sealed it is not known here: %s\nCompare it with the key that the product shows, then give it with --key.\n", key)
	return exitUnconfirmed
}
