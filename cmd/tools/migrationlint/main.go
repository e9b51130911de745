// Command migrationlint refuses SQL migrations that destroy data, loosen
// tenant isolation or cannot be judged. It parses them with PostgreSQL's own
// grammar, so comments and string literals never confuse it.
//
//	migrationlint DIR-OR-FILE...   check .sql files
//	migrationlint -                check standard input
//
// A reviewed exception is written as a comment in front of its statement:
//
//	-- optria:allow <rule> <reason>
//
// It exits with 1 when a statement is refused.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	refused, err := run(os.Args[1:], os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "migrationlint:", err)
		os.Exit(2)
	}
	if refused > 0 {
		fmt.Fprintf(os.Stderr, "migrationlint: %d statements refused\n", refused)
		os.Exit(1)
	}
}

// run checks every named source and prints what it refuses.
func run(names []string, stdin io.Reader, out io.Writer) (refused int, err error) {
	if len(names) == 0 {
		return 0, fmt.Errorf("name the migrations, or - for standard input")
	}
	files, err := expand(names)
	if err != nil {
		return 0, err
	}
	for _, name := range files {
		text, err := read(name, stdin)
		if err != nil {
			return refused, err
		}
		findings, err := Check(text)
		if err != nil {
			return refused, fmt.Errorf("%s: %w", name, err)
		}
		for _, finding := range findings {
			if _, err := fmt.Fprintf(out, "%s:%d: %s: %s\n", name, finding.Line, finding.Rule, finding.Message); err != nil {
				return refused, fmt.Errorf("print: %w", err)
			}
		}
		refused += len(findings)
	}
	return refused, nil
}

// expand replaces directories by the .sql files in them.
func expand(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case name == "-":
			files = append(files, name)
		case err != nil:
			return nil, fmt.Errorf("find migrations: %w", err)
		case !info.IsDir():
			files = append(files, name)
		default:
			found, err := filepath.Glob(filepath.Join(name, "*.sql"))
			if err != nil {
				return nil, fmt.Errorf("list %s: %w", name, err)
			}
			if len(found) == 0 {
				return nil, fmt.Errorf("%s has no .sql files", name)
			}
			files = append(files, found...)
		}
	}
	return files, nil
}

func read(name string, stdin io.Reader) (string, error) {
	if name == "-" {
		text, err := io.ReadAll(stdin)
		if err != nil {
			return "", fmt.Errorf("read standard input: %w", err)
		}
		return string(text), nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("read migration: %w", err)
	}
	return string(text), nil
}
