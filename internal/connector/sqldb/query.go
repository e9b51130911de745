package sqldb

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/DataDog/go-sqllexer"
)

// query is a checked SELECT, cut where its parameters stand: text, parameter,
// text, parameter, ..., text.
type query struct {
	texts  []string
	params []string // since, until or limit
}

// Names of the parameters that a query may use.
const (
	paramSince = "since"
	paramUntil = "until"
	paramLimit = "limit"
)

// parameterForm finds a parameter, with what stands before it so that a cast
// such as ::since is none.
var parameterForm = regexp.MustCompile(`(^|[^:\pL\pN_]):(since|until|limit)\b`)

// mark stands in for a parameter while the text is read as tokens.
const mark = "optria_parameter_"

// parseQuery checks that text is a single SELECT that only reads, and cuts it
// at its parameters. The check is a list of what is allowed: tokens of known
// form, no comment, no backslash, no statement word but SELECT, and functions
// known to have no effect. Where the reading of the lexer and that of a server
// might differ, the text is refused.
func parseQuery(d dialect, text string) (query, error) {
	text = strings.TrimSpace(text)
	text = strings.TrimSpace(strings.TrimSuffix(text, ";"))
	if err := checkCharacters(text); err != nil {
		return query{}, err
	}
	marked := parameterForm.ReplaceAllString(text, "${1} "+mark+"$2 ")
	tokens, err := scan(d, marked)
	if err != nil {
		return query{}, err
	}
	if err := checkTokens(d, tokens); err != nil {
		return query{}, err
	}
	return cut(marked), nil
}

// checkCharacters refuses what databases read in different ways.
func checkCharacters(text string) error {
	switch {
	case text == "":
		return errors.New("the query is empty")
	case len(text) > 4*maxQuery:
		return errors.New("the query is too long")
	case strings.Contains(strings.ToLower(text), mark):
		return fmt.Errorf("the name %s is reserved", mark)
	}
	for _, r := range text {
		if r == '\\' || r == unicode.ReplacementChar || unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return fmt.Errorf("the character %q is not allowed", r)
		}
	}
	return nil
}

// token is one piece of the query without blanks. Depth counts the brackets
// around it.
type token struct {
	kind  sqllexer.TokenType
	value string
	depth int
}

// word returns the token in capitals when it is a bare word, else "".
func (t token) word() string {
	if wordForm.MatchString(t.value) {
		return strings.ToUpper(t.value)
	}
	return ""
}

// Forms of tokens. A text of the query that the lexer cut in any other way is
// refused: its identifiers, for one, may swallow quotes and comments.
var (
	wordForm   = regexp.MustCompile(`^[\p{L}_][\p{L}\p{M}\p{N}_$]*(\.[\p{L}_][\p{L}\p{M}\p{N}_$]*)*\.?$`)
	dottedForm = regexp.MustCompile(`^[\p{L}_][\p{L}\p{M}\p{N}_$]*(\.([\p{L}_][\p{L}\p{M}\p{N}_$]*|"[^"]+"))+$`)
	numberForm = regexp.MustCompile(`^[+-]?[0-9]*\.?[0-9]*([eE][+-]?[0-9]+)?$`)
	stringForm = regexp.MustCompile(`^'([^']|'')*'$`)
	quotedForm = regexp.MustCompile("^(\"[^\"]+\"|`[^`]+`|\\[[^\\]\\[]+\\])(\\.(\"[^\"]+\"|`[^`]+`|\\[[^\\]\\[]+\\]))*$")
	operators  = []string{"+", "-", "*", "/", "%", "=", "<", ">", "<=", ">=", "<>", "!=", "||", "::", "&", "|", "^", "~", "~*", "!~"}
	points     = []string{"(", ")", ",", ".", "[", "]"}
)

// scan reads the tokens and checks the form of each.
func scan(d dialect, text string) ([]token, error) {
	lexer := sqllexer.New(text, sqllexer.WithDBMS(d.lexer))
	var tokens []token
	read, depth, glued := 0, 0, false
	for {
		next := lexer.Scan()
		if next.Type == sqllexer.EOF {
			break
		}
		if read+len(next.Value) > len(text) || text[read:read+len(next.Value)] != next.Value {
			return nil, errors.New("blanks around a dot are not allowed")
		}
		read += len(next.Value)
		if next.Type == sqllexer.SPACE {
			glued = false
			continue
		}
		t := token{kind: next.Type, value: next.Value, depth: depth}
		if err := checkForm(d, t, glued, tokens); err != nil {
			return nil, err
		}
		switch t.value {
		case "(":
			depth++
		case ")":
			depth--
			t.depth = depth
		}
		if depth < 0 {
			return nil, errors.New("a bracket closes what none opened")
		}
		tokens, glued = append(tokens, t), true
	}
	if read != len(text) || depth != 0 {
		return nil, errors.New("the query is not complete")
	}
	return tokens, nil
}

// checkForm checks one token; glued says that no blank stands before it.
func checkForm(d dialect, t token, glued bool, before []token) error {
	sound := false
	switch t.kind {
	case sqllexer.STRING:
		sound = stringForm.MatchString(t.value) || d.lexer == sqllexer.DBMSMySQL && doubleQuoted.MatchString(t.value)
	case sqllexer.QUOTED_IDENT:
		sound = quotedForm.MatchString(t.value)
	case sqllexer.NUMBER:
		sound = numberForm.MatchString(t.value)
	case sqllexer.OPERATOR, sqllexer.WILDCARD:
		sound = slices.Contains(operators, t.value)
	case sqllexer.PUNCTUATION:
		sound = slices.Contains(points, t.value)
	case sqllexer.COMMENT, sqllexer.MULTILINE_COMMENT:
		return errors.New("comments are not allowed")
	case sqllexer.IDENT, sqllexer.FUNCTION, sqllexer.COMMAND, sqllexer.KEYWORD, sqllexer.BOOLEAN, sqllexer.NULL,
		sqllexer.PROC_INDICATOR, sqllexer.CTE_INDICATOR, sqllexer.ALIAS_INDICATOR:
		sound = wordForm.MatchString(t.value) || dottedForm.MatchString(t.value)
	}
	if !sound || strings.ContainsAny(t.value, "'\"`[") && strings.Contains(t.value, mark) {
		return fmt.Errorf("%q is not allowed; blanks between names, numbers and operators may help", shorten(t.value))
	}
	if glued && len(before) > 0 && sticks(before[len(before)-1], t) {
		return fmt.Errorf("a blank is missing before %q", shorten(t.value))
	}
	return nil
}

var doubleQuoted = regexp.MustCompile(`^"([^"]|"")*"$`)

// sticks reports whether two tokens without a blank between them are of the
// sort that databases may join or split in another way: words, numbers, texts.
func sticks(before, after token) bool {
	solid := func(t token) bool {
		return t.kind != sqllexer.OPERATOR && t.kind != sqllexer.WILDCARD && t.kind != sqllexer.PUNCTUATION && !strings.HasSuffix(t.value, ".")
	}
	if after.kind == sqllexer.NUMBER && strings.ContainsAny(after.value[:1], "+-") {
		return false
	}
	return solid(before) && solid(after)
}

func shorten(text string) string {
	runes := []rune(text)
	if len(runes) > 40 {
		return string(runes[:40]) + "..."
	}
	return text
}

// checkTokens checks what the words say.
func checkTokens(d dialect, tokens []token) error {
	if len(tokens) == 0 || tokens[0].word() != "SELECT" && tokens[0].word() != "WITH" {
		return errors.New("the query has to begin with SELECT or WITH")
	}
	if d.name == SQLServer && tokens[0].word() == "WITH" {
		return errors.New("SQL Server takes no WITH in a derived table; make it a view")
	}
	selects := 0
	for i, t := range tokens {
		word := t.word()
		for part := range strings.SplitSeq(strings.ToUpper(t.value), ".") {
			if slices.Contains(forbidden, part) || d.name == SQLServer && slices.Contains(forbiddenSQLServer, part) {
				return fmt.Errorf("%s is not allowed", part)
			}
		}
		if t.depth == 0 && word == "SELECT" && !continues(tokens, i) {
			selects++
		}
		if i+1 < len(tokens) && tokens[i+1].value == "(" && !callable(t, tokens[:i]) {
			return fmt.Errorf("%s( is not allowed: only functions known to change nothing may be called", shorten(t.value))
		}
	}
	if selects != 1 {
		return errors.New("the query has to be one SELECT")
	}
	return nil
}

// continues reports whether the SELECT at i belongs to the one before it.
func continues(tokens []token, i int) bool {
	if i == 0 {
		return false
	}
	return slices.Contains([]string{"UNION", "ALL", "DISTINCT", "INTERSECT", "EXCEPT", "MINUS"}, tokens[i-1].word())
}

// callable reports whether a bracket may follow the token.
func callable(t token, before []token) bool {
	word := t.word()
	switch {
	case dottedForm.MatchString(t.value) && word == "", t.kind == sqllexer.QUOTED_IDENT, t.kind == sqllexer.STRING, t.kind == sqllexer.NUMBER, t.value == ")", t.value == "]":
		return false
	case word == "":
		return true // an operator, a comma or another bracket
	case slices.Contains(functions, word), slices.Contains(openers, word):
		return true
	}
	// The columns of WITH name (a, b) AS.
	return len(before) > 0 && slices.Contains([]string{"WITH", "RECURSIVE"}, before[len(before)-1].word())
}

// cut splits the marked text at its parameters.
func cut(marked string) query {
	var q query
	for {
		at := strings.Index(marked, mark)
		if at < 0 {
			q.texts = append(q.texts, marked)
			return q
		}
		rest := marked[at+len(mark):]
		name := rest[:len(paramSince)] // all three have the same length
		q.texts, q.params = append(q.texts, marked[:at]), append(q.params, name)
		marked = rest[len(name):]
	}
}
