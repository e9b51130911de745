package token

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// MaxRanges is how many address ranges a token may carry.
const MaxRanges = 20

// ParseRanges reads IP addresses and ranges in CIDR notation, separated by
// commas or white space, IPv4 or IPv6, and returns them in their shortest form,
// sorted and each once. wrong names what cannot be read; a range that covers
// every address is refused too, because it limits nothing.
func ParseRanges(text string) (ranges, wrong []string) {
	fields := strings.FieldsFunc(text, func(r rune) bool {
		return r == ',' || r == ';' || r == '،' || r == '\n' || r == '\r' || r == '\t' || r == ' '
	})
	ranges = []string{}
	for _, field := range fields {
		prefix, ok := parseRange(field)
		if !ok {
			wrong = append(wrong, field)
			continue
		}
		short := prefix.String()
		if prefix.IsSingleIP() {
			short = prefix.Addr().String()
		}
		ranges = append(ranges, short)
	}
	slices.Sort(ranges)
	return slices.Compact(ranges), wrong
}

func parseRange(text string) (netip.Prefix, bool) {
	if address, err := netip.ParseAddr(text); err == nil {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), address.Zone() == ""
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil || prefix.Bits() == 0 || prefix.Addr().Is4In6() {
		return netip.Prefix{}, false
	}
	return prefix.Masked(), true
}

// Within reports whether a peer's address, with or without a port, lies in one
// of the ranges. No ranges allow every address; an address that cannot be read
// lies in none.
func Within(ranges []string, peer string) bool {
	if len(ranges) == 0 {
		return true
	}
	if host, _, err := net.SplitHostPort(peer); err == nil {
		peer = host
	}
	address, err := netip.ParseAddr(strings.Trim(peer, "[]"))
	if err != nil {
		return false
	}
	address = address.Unmap().WithZone("")
	return slices.ContainsFunc(ranges, func(text string) bool {
		prefix, ok := parseRange(text)
		return ok && prefix.Contains(address)
	})
}
