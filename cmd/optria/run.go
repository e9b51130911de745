package main

import (
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
	"strings"
	"time"

	"github.com/google/uuid"
)

const runUse = "use: optria run --url URL --token-file FILE (--file REQUEST.json | --problem KIND --title TEXT --days N [--start DATE]) [--schedule NAME] [--key KEY] [--wait]"

// Exit codes of optria run beyond 0 and 1.
const (
	exitRunFailed = 3 // the run ended without a plan
	exitWaited    = 4 // the run had not ended when the wait was over
)

// runRequest is what the command line asks for.
type runRequest struct {
	url, tokenFile, file, schedule, key string
	wait                                bool
	limit                               time.Duration
	body                                map[string]any
}

// runRun asks for an optimization run over the API, for schedulers that can
// start a program. It prints the id of the run and, with --wait, its end.
func runRun(ctx context.Context, args []string) error {
	return askForRun(ctx, args, os.Stdout, os.Stderr)
}

// askForRun prints the id of the run to out and its states to progress.
func askForRun(ctx context.Context, args []string, out, progress io.Writer) error {
	r, err := parseRun(args)
	if err != nil {
		return err
	}
	token, err := readToken(r.tokenFile)
	if err != nil {
		return err
	}
	c := apiClient{base: strings.TrimRight(r.url, "/") + "/api/v1", token: token, client: &http.Client{Timeout: time.Minute}, progress: progress}
	id, err := c.create(ctx, r)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, id)
	if !r.wait {
		return nil
	}
	return c.follow(ctx, id, r.limit)
}

func parseRun(args []string) (runRequest, error) {
	r := runRequest{body: map[string]any{}}
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.StringVar(&r.url, "url", os.Getenv("OPTRIA_URL"), "address of the product, for example https://optria.example")
	flags.StringVar(&r.tokenFile, "token-file", "", "file that holds the API token; else OPTRIA_TOKEN")
	flags.StringVar(&r.file, "file", "", "request as JSON, as POST /api/v1/runs takes it; - reads standard input")
	problem := flags.String("problem", "", "kind of problem, for example maintenance_prioritization")
	title := flags.String("title", "", "title of the run")
	start := flags.String("start", "", "first day, YYYY-MM-DD; tomorrow unless given")
	days := flags.Int("days", 30, "length of the horizon in days")
	flags.StringVar(&r.schedule, "schedule", "", "name or id of the schedule whose due time the run answers")
	flags.StringVar(&r.key, "key", "", "idempotency key: the same key gives the same run; a new one unless given")
	flags.BoolVar(&r.wait, "wait", false, "wait for the end of the run")
	flags.DurationVar(&r.limit, "timeout", time.Hour, "how long to wait")
	if err := flags.Parse(args); err != nil {
		return r, err
	}
	if flags.NArg() > 0 || r.url == "" || (r.file == "") == (*problem == "") {
		return r, errors.New(runUse)
	}
	if u, err := url.Parse(r.url); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return r, fmt.Errorf("--url %q is no address of the form https://HOST", r.url)
	}
	if r.key == "" {
		r.key = uuid.NewString()
	}
	if r.file != "" {
		if err := r.read(); err != nil {
			return r, err
		}
	} else {
		if *start == "" {
			*start = time.Now().AddDate(0, 0, 1).Format(time.DateOnly)
		}
		if *title == "" {
			*title = strings.TrimSpace(r.schedule + " " + *start)
		}
		r.body = map[string]any{"problem": *problem, "title": *title, "start": *start, "days": *days}
	}
	if r.schedule != "" {
		r.body["schedule"] = r.schedule
	}
	return r, nil
}

// read takes the request from a file.
func (r *runRequest) read() error {
	text, err := readAll(r.file)
	if err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	if err := json.Unmarshal(text, &r.body); err != nil {
		return fmt.Errorf("read request %s: %w", r.file, err)
	}
	return nil
}

func readAll(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(file) // #nosec G304 -- the operator names the file
}

func readToken(file string) (string, error) {
	token := os.Getenv("OPTRIA_TOKEN")
	if file != "" {
		text, err := os.ReadFile(file) // #nosec G304 -- the operator names the file
		if err != nil {
			return "", fmt.Errorf("read token: %w", err)
		}
		token = string(text)
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", errors.New("no token: name a file with --token-file or set OPTRIA_TOKEN")
	}
	return token, nil
}

// apiClient calls the API with a token.
type apiClient struct {
	base, token string
	client      *http.Client
	progress    io.Writer
}

// problemDetails is an error of the API.
type problemDetails struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
}

func (p problemDetails) String() string {
	parts := []string{p.Title}
	if p.Detail != "" {
		parts = append(parts, p.Detail)
	}
	for _, e := range p.Errors {
		parts = append(parts, e.Location+": "+e.Message)
	}
	return strings.Join(parts, "\n  ")
}

// call sends one request and decodes the answer. It tries again while the
// product is away: the idempotency key makes that harmless.
func (c apiClient) call(ctx context.Context, method, path, key string, body, out any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	const attempts = 5
	for attempt := 1; ; attempt++ {
		status, answer, err := c.send(ctx, method, path, key, text)
		switch {
		case err == nil && status < http.StatusMultipleChoices:
			return json.Unmarshal(answer, out)
		case err == nil && status < http.StatusInternalServerError && status != http.StatusTooManyRequests:
			var p problemDetails
			if json.Unmarshal(answer, &p) != nil || p.Title == "" {
				p.Title = http.StatusText(status)
			}
			return fmt.Errorf("%s %s: %d %s", method, path, status, p)
		case err == nil:
			err = fmt.Errorf("%s %s: %d", method, path, status)
		}
		if attempt == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(time.Duration(attempt*attempt) * 500 * time.Millisecond):
		}
	}
}

func (c apiClient) send(ctx context.Context, method, path, key string, text []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(text)) // #nosec G704 -- the address is the caller's own
	if err != nil {
		return 0, nil, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := c.client.Do(request) // #nosec G704 -- as above
	if err != nil {
		return 0, nil, fmt.Errorf("call the product: %w", err)
	}
	defer response.Body.Close()
	const most = 4 << 20
	answer, err := io.ReadAll(io.LimitReader(response.Body, most))
	return response.StatusCode, answer, err
}

func (c apiClient) create(ctx context.Context, r runRequest) (string, error) {
	var created struct {
		ID string `json:"id"`
	}
	if err := c.call(ctx, http.MethodPost, "/runs", r.key, r.body, &created); err != nil {
		return "", err
	}
	return created.ID, nil
}

// follow waits for the end of a run and reports it as exit code.
func (c apiClient) follow(ctx context.Context, id string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	last := ""
	for {
		var run struct {
			State string `json:"state"`
		}
		if err := c.call(ctx, http.MethodGet, "/runs/"+url.PathEscape(id), "", nil, &run); err != nil {
			if ctx.Err() != nil {
				return errExit(exitWaited)
			}
			return err
		}
		if run.State != last {
			fmt.Fprintln(c.progress, run.State)
			last = run.State
		}
		switch run.State {
		case "done":
			return nil
		case "failed", "cancelled":
			return errExit(exitRunFailed)
		}
		select {
		case <-ctx.Done():
			return errExit(exitWaited)
		case <-time.After(2 * time.Second):
		}
	}
}
