// Package netguard keeps connectors from reaching addresses that a deployment
// does not allow, whatever name or redirect leads there: the check is made on
// the resolved address, right before the connection opens. It guards against
// server-side request forgery by people who may configure integrations.
package netguard

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/optria-iq/optria/internal/fault"
)

// KeyRefused is the message key of a refused address.
const KeyRefused = "connector.fault.refused_host"

// connectWithin bounds one attempt to connect.
const connectWithin = 5 * time.Second

// never lists what no allow list opens: metadata services of clouds,
// link-local, unspecified, multicast and broadcast addresses.
var never = prefixes("169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128", "fd20:ce::254/128",
	"fe80::/10", "0.0.0.0/8", "::/128", "224.0.0.0/4", "255.255.255.255/32", "ff00::/8")

// inner lists what is reached only when the deployment allows it: loopback,
// private, shared and documentation ranges, and the ranges that wrap an IPv4
// address in IPv6.
var inner = prefixes("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "100.64.0.0/10", "192.0.0.0/24",
	"192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/23",
	"2001:db8::/32", "fec0::/10")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// Guard decides which addresses may be reached. The zero Guard allows public
// addresses only.
type Guard struct {
	allow []netip.Prefix
	own   []netip.AddrPort
}

// Parse reads an allow list: prefixes or addresses separated by commas, such
// as "10.20.0.0/16, 192.168.7.5".
func Parse(list string) (Guard, error) {
	var g Guard
	for _, text := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			address, single := netip.ParseAddr(text)
			if single != nil {
				return Guard{}, fmt.Errorf("%q is neither an address nor a range such as 10.20.0.0/16", text)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		g.allow = append(g.allow, prefix.Masked())
	}
	return g, nil
}

// Except returns a guard that also refuses the product's own servers, given as
// host:port: a connector has no business with them even on an allowed range.
// Names are resolved now; what does not resolve is left out.
func (g Guard) Except(addresses ...string) Guard {
	for _, address := range addresses {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			continue
		}
		found, err := net.LookupHost(host)
		if err != nil {
			continue
		}
		for _, ip := range found {
			if own, err := netip.ParseAddrPort(net.JoinHostPort(ip, port)); err == nil {
				g.own = append(slices.Clone(g.own), netip.AddrPortFrom(own.Addr().Unmap(), own.Port()))
			}
		}
	}
	return g
}

// Allows reports whether an address may be reached, or a fault that names it.
func (g Guard) Allows(address netip.AddrPort) error {
	ip := address.Addr().WithZone("").Unmap()
	contains := func(p netip.Prefix) bool { return p.Contains(ip) }
	switch {
	case !ip.IsValid(), slices.ContainsFunc(never, contains), slices.Contains(g.own, netip.AddrPortFrom(ip, address.Port())):
	case slices.ContainsFunc(g.allow, contains), !slices.ContainsFunc(inner, contains):
		return nil
	}
	return fault.New(fault.Invalid, KeyRefused).With("address", ip.String())
}

// Dialer returns a dialer that asks the guard before every connection,
// including those of redirects and of every address that a name resolves to.
func (g Guard) Dialer() *net.Dialer {
	return &net.Dialer{Timeout: connectWithin, KeepAlive: 15 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		parsed, err := netip.ParseAddrPort(address)
		if err != nil {
			return fault.Wrap(fault.Invalid, KeyRefused, err)
		}
		return g.Allows(parsed)
	}}
}
