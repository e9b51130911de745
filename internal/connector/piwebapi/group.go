package piwebapi

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// nameGroup is a folder of points whose names share a beginning.
type nameGroup struct {
	prefix string
	count  int
}

// group divides names by what follows their common beginning: up to the next
// separator where every name has one and that gives a reasonable number of
// folders, else by the next letter. No two folders share a name, although PI
// matches names without regard to case, and every prefix is longer than the
// common beginning, so that browsing deeper comes to an end. lone is the name
// that ends where the others go on, if there is one.
func group(names []string) (groups []nameGroup, lone string) {
	common := commonRunes(names)
	groups, whole := groupBy(names, func(rest []rune) int {
		return 1 + slices.IndexFunc(rest, func(r rune) bool { return strings.ContainsRune(separators, r) })
	}, common)
	if whole && len(groups) > 1 && len(groups) <= mostFolders {
		return groups, ""
	}
	for _, name := range names {
		if len([]rune(name)) == common {
			lone = name
		}
	}
	groups, _ = groupBy(names, func(rest []rune) int { return min(1, len(rest)) }, common)
	return groups, lone
}

// commonRunes is the number of letters with which all names begin, without
// regard to case.
func commonRunes(names []string) int {
	first := foldName(names[0])
	common := len(first)
	for _, name := range names[1:] {
		other := foldName(name)
		common = min(common, len(other))
		for i := range common {
			if first[i] != other[i] {
				common = i
				break
			}
		}
	}
	return common
}

func foldName(name string) []rune {
	runes := []rune(name)
	for i, r := range runes {
		runes[i] = unicode.ToUpper(r)
	}
	return runes
}

// groupBy makes a folder of every different beginning, which takes from the
// letters after the common ones as many as take says. whole is false when take
// gave none for some name, which is then in no folder.
func groupBy(names []string, take func(rest []rune) int, common int) (groups []nameGroup, whole bool) {
	places := map[string]int{}
	whole = true
	for _, name := range names {
		runes := []rune(name)
		taken := take(runes[common:])
		if taken == 0 {
			whole = false
			continue
		}
		prefix := string(runes[:common+taken])
		key := string(foldName(prefix))
		place, known := places[key]
		if !known {
			place = len(groups)
			places[key] = place
			groups = append(groups, nameGroup{prefix: prefix})
		}
		groups[place].count++
	}
	slices.SortFunc(groups, func(a, b nameGroup) int { return cmp.Compare(a.prefix, b.prefix) })
	return groups, whole
}
