package main

import (
	"fmt"
	"strings"
)

// judge walks the whole syntax tree of a statement, for a DELETE may hide in a
// common table expression, and returns each broken rule once.
func judge(node any) []Finding {
	var found []Finding
	seen := map[Finding]bool{}
	walk(node, func(kind string, fields map[string]any) {
		for _, finding := range broken(kind, fields) {
			if !seen[finding] {
				seen[finding] = true
				found = append(found, finding)
			}
		}
	})
	return found
}

// walk visits every node. The tree spells a node as {"Kind": {fields…}}.
func walk(value any, visit func(kind string, fields map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if fields, ok := inner.(map[string]any); ok {
				visit(name, fields)
			}
			walk(inner, visit)
		}
	case []any:
		for _, inner := range v {
			walk(inner, visit)
		}
	}
}

// replaceable kinds of objects hold no data and may be dropped.
var replaceable = map[string]bool{
	"OBJECT_INDEX": true, "OBJECT_POLICY": true, "OBJECT_TRIGGER": true, "OBJECT_VIEW": true, "OBJECT_FUNCTION": true,
}

// alterations are the parts of ALTER TABLE that lose data or protection.
var alterations = map[string]Finding{
	"AT_DropColumn":         {Rule: "drop-column", Message: "drops a column"},
	"AT_AlterColumnType":    {Rule: "alter-type", Message: "changes the type of a column"},
	"AT_DropConstraint":     {Rule: "drop-constraint", Message: "drops a constraint"},
	"AT_DropExpression":     {Rule: "alter-type", Message: "turns a generated column into a stored one"},
	"AT_SetUnLogged":        {Rule: "unlogged", Message: "an unlogged table is emptied by a crash"},
	"AT_DetachPartition":    {Rule: "detach-partition", Message: "detaches a partition"},
	"AT_DisableRowSecurity": {Rule: "row-security", Message: "switches row-level security off"},
	"AT_NoForceRowSecurity": {Rule: "row-security", Message: "frees the owner from row-level security"},
}

// foreignKeyActions change or remove rows behind the application's back.
var foreignKeyActions = map[string]string{"c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}

// broken returns the rules that one node breaks by itself.
func broken(kind string, fields map[string]any) []Finding {
	var found []Finding
	refuse := func(rule, format string, args ...any) {
		found = append(found, Finding{Rule: rule, Message: fmt.Sprintf(format, args...)})
	}
	if fields["behavior"] == "DROP_CASCADE" {
		refuse("cascade", "CASCADE reaches objects that nobody named")
	}
	switch kind {
	case "DropStmt":
		if object, _ := fields["removeType"].(string); !replaceable[object] {
			refuse("drop", "drops a %s", strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(object, "OBJECT_"), "_", " ")))
		}
	case "DropdbStmt", "DropRoleStmt", "DropOwnedStmt", "DropTableSpaceStmt", "DropSubscriptionStmt", "DropUserMappingStmt":
		refuse("drop", "%s", strings.TrimSuffix(kind, "Stmt"))
	case "TruncateStmt":
		refuse("truncate", "empties a table")
	case "AlterTableCmd":
		subtype, _ := fields["subtype"].(string)
		if finding, ok := alterations[subtype]; ok {
			found = append(found, finding)
		}
	case "RenameStmt", "AlterObjectSchemaStmt":
		refuse("rename", "the running release still uses the old name")
	case "DeleteStmt", "UpdateStmt":
		if fields["whereClause"] == nil {
			refuse("unbounded", "%s without WHERE", strings.ToUpper(strings.TrimSuffix(kind, "Stmt")))
		}
	case "Constraint":
		for _, action := range []string{"fk_del_action", "fk_upd_action"} {
			code, _ := fields[action].(string)
			if name := foreignKeyActions[code]; name != "" {
				refuse("foreign-key", "a foreign key with %s", name)
			}
		}
	case "DoStmt":
		refuse("do", "a DO block cannot be checked")
	case "CreateFunctionStmt":
		found = append(found, judgeBody(fields)...)
	}
	return found
}

// judgeBody looks for destructive words in the source of a function. The body
// may build statements from strings, so it is read as text.
func judgeBody(fields map[string]any) []Finding {
	var found []Finding
	walk(fields, func(kind string, inner map[string]any) {
		text, ok := inner["sval"].(string)
		if kind != "String" || !ok {
			return
		}
		if word := bodyWords.FindString(lineNote.ReplaceAllString(text, "")); word != "" {
			found = append(found, Finding{Rule: "function-body", Message: "the body of a function says " + strings.ToUpper(word)})
		}
	})
	return found
}
