package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"

	pgquery "github.com/wasilibs/go-pgquery"
)

// Finding is one refused statement.
type Finding struct {
	Line    int
	Rule    string
	Message string
}

// statement is one entry of the parser's result. Locations are byte offsets;
// the text from Location on includes the comments in front of the statement.
type statement struct {
	Node     map[string]any `json:"stmt"`
	Location int            `json:"stmt_location"`
	Length   int            `json:"stmt_len"`
}

// Check parses the migrations in text and returns what is refused, by line.
func Check(text string) ([]Finding, error) {
	parsed, err := pgquery.ParseToJSON(text)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	var tree struct {
		Statements []statement `json:"stmts"`
	}
	if err := json.Unmarshal([]byte(parsed), &tree); err != nil {
		return nil, fmt.Errorf("read the syntax tree: %w", err)
	}
	findings := downSections(text)
	for _, s := range tree.Statements {
		source := text[s.Location:]
		if s.Length > 0 {
			source = source[:s.Length]
		}
		allowed := allowances(source)
		line := 1 + strings.Count(text[:s.Location+leading(source)], "\n")
		for _, broken := range judge(s.Node) {
			if !allowed[broken.Rule] {
				broken.Line = line
				findings = append(findings, broken)
			}
		}
	}
	sort.SliceStable(findings, func(i, j int) bool { return findings[i].Line < findings[j].Line })
	return findings, nil
}

var (
	allowance = regexp.MustCompile(`(?m)^\s*--\s*optria:allow\s+([a-z-]+)[ \t]+\S`)
	gooseDown = regexp.MustCompile(`(?im)^\s*--\s*\+goose\s+down\b`)
	lead      = regexp.MustCompile(`^(\s+|--[^\n]*|/\*(?s:.*?)\*/)+`)
	lineNote  = regexp.MustCompile(`--[^\n]*`)
	bodyWords = regexp.MustCompile(`(?i)\b(drop|truncate|cascade|disable\s+row\s+level|no\s+force\s+row\s+level)\b`)
)

// allowances are the rules that comments in front of the statement waive. An
// allowance without a reason waives nothing.
func allowances(source string) map[string]bool {
	rules := map[string]bool{}
	for _, match := range allowance.FindAllStringSubmatch(source[:leading(source)], -1) {
		rules[match[1]] = true
	}
	return rules
}

// leading is the length of white space and comments before the statement.
func leading(source string) int { return len(lead.FindString(source)) }

// downSections refuses the sections that goose would run backwards: a release
// is rolled forward, and undoing a migration destroys what was written since.
func downSections(text string) []Finding {
	var findings []Finding
	for _, at := range gooseDown.FindAllStringIndex(text, -1) {
		before := strings.TrimRight(text[:at[0]], " \t\n")
		last := before[strings.LastIndexByte(before, '\n')+1:]
		if match := allowance.FindStringSubmatch(last); match != nil && match[1] == "down" {
			continue
		}
		line := 1 + strings.Count(text[:at[1]], "\n")
		findings = append(findings, Finding{line, "down", "migrations only go up; mend forward"})
	}
	return findings
}
