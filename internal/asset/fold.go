package asset

import "strings"

// folding maps Arabic letters that people write interchangeably to one form
// and removes tatweel and the short vowels.
var folding = strings.NewReplacer(
	"أ", "ا", "إ", "ا", "آ", "ا", "ٱ", "ا", "ى", "ي", "ة", "ه", "ؤ", "و", "ئ", "ي", "ـ", "",
	"\u064b", "", "\u064c", "", "\u064d", "", "\u064e", "", "\u064f", "", "\u0650", "", "\u0651", "", "\u0652", "",
)

// Fold prepares text for search: lower case, Arabic letter variants unified.
// Stored text and search words must pass through the same function.
func Fold(s string) string { return folding.Replace(strings.ToLower(strings.TrimSpace(s))) }

// SearchText is what an asset is found by: its tag and both names.
func SearchText(tag, nameAR, nameEN string) string {
	return Fold(tag + " " + nameAR + " " + nameEN)
}
