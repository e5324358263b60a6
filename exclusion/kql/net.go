package kql

import (
	"fmt"
	"net/netip"

	"github.com/besra-hunt/besra/exclusion"
)

// ipv4 matches an IPv4 address as the sensor takes it: four numbers without
// leading zeros. KQL's own functions take less and more, such as a network.
const ipv4 = `\A(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\z`

// ipv6 matches the characters of an IPv6 address, with or without its zone.
const ipv6 = `\A[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%(?s:.)+)?\z`

// mapped is the network of IPv4 addresses in IPv6 form.
var mapped = netip.MustParsePrefix("::ffff:0:0/96")

// networks are those of an argument, in the forms that KQL asks about.
type networks struct {
	v4, v6 []string // v6 has the IPv4 ones, too, for addresses in IPv6 form
	// around are networks that hold all of those, to which no IPv4 address
	// belongs all the same.
	around []string
	sound  bool // none was an error
}

// cidr compiles the test that an address lies in one of some networks.
func (c *compiler) cidr(e *exclusion.Expr, want bool) cond {
	v, ok := c.value(e.Args[0])
	texts, written := c.texts(e.Args[1])
	if !ok || !written {
		return no
	}
	nets := readNetworks(texts)
	if !want && !nets.sound {
		return no // one of them is an error, so that false is not sure
	}
	if s, text := v.lit.(string); text {
		return literalInside(s, texts, want)
	}
	if v.step == "" {
		return c.refuse(e.Args[0], e.Args[0].String()+" as an address", "give a fact")
	}
	four := c.step(v.step+"4", fmt.Sprintf(`iff(%[1]s matches regex %[2]s, %[1]s, "")`, v.text, quote(ipv4)))
	six := c.step(v.step+"6", fmt.Sprintf(`iff(%[1]s matches regex %[2]s and isnotempty(parse_ipv6(replace_regex(%[1]s, "(?s:%%.*)\\z", ""))), replace_regex(%[1]s, "(?s:%%.*)\\z", ""), "")`,
		v.text, quote(ipv6)))
	return all(v.known, either(
		all(atom("isnotempty("+four+")"), inAnyRange("ipv4", four, nets.v4, want)),
		all(atom("isnotempty("+six+")"), nets.insideSix(six, want))))
}

func inAnyRange(family, address string, ranges []string, want bool) cond {
	if len(ranges) == 0 {
		return truth(!want)
	}
	return atom(fmt.Sprintf("%s_is_in_any_range(%s, %s) == %v", family, address, dynamic(ranges), want))
}

func (n networks) insideSix(address string, want bool) cond {
	plain := inAnyRange("ipv6", address, n.v6, want)
	if len(n.around) == 0 {
		return plain
	}
	around := inAnyRange("ipv6", address, n.around, want)
	isFour := inAnyRange("ipv6", address, []string{hexPrefix(mapped)}, !want)
	if want {
		return either(plain, all(around, isFour))
	}
	return all(plain, either(around, isFour))
}

func readNetworks(texts []string) networks {
	n := networks{sound: true}
	for _, s := range texts {
		p, err := exclusion.ParseCIDR(s)
		switch {
		case err != nil:
			n.sound = false
		case p.Addr().Is4():
			n.v4 = append(n.v4, p.String())
			n.v6 = append(n.v6, hexPrefix(netip.PrefixFrom(netip.AddrFrom16(p.Addr().As16()), p.Bits()+96)))
		case p.Bits() >= mapped.Bits() && mapped.Contains(p.Addr()):
			// No address is in it: those that would be count as IPv4.
		case p.Overlaps(mapped):
			n.around = append(n.around, hexPrefix(p))
		default:
			n.v6 = append(n.v6, hexPrefix(p))
		}
	}
	return n
}

// hexPrefix writes an IPv6 network without the dotted form.
func hexPrefix(p netip.Prefix) string {
	if !p.Addr().Is4In6() {
		return p.String()
	}
	b := p.Addr().As16()
	return fmt.Sprintf("::ffff:%x:%x/%d", uint(b[12])<<8|uint(b[13]), uint(b[14])<<8|uint(b[15]), p.Bits())
}

// literalInside is the answer where the address is written out, too.
func literalInside(address string, texts []string, want bool) cond {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return no
	}
	inside := false
	for _, s := range texts {
		p, err := exclusion.ParseCIDR(s)
		inside = inside || err == nil && p.Contains(ip.Unmap().WithZone(""))
	}
	return truth(inside == want)
}
