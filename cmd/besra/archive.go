package main

import (
	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/scan"
	"github.com/besra-hunt/besra/source/archive"
	"github.com/besra-hunt/besra/source/capture"
	"github.com/besra-hunt/besra/source/icap"
	"github.com/besra-hunt/besra/source/mail"
	"github.com/spf13/pflag"
)

// archiveFlags say whether and how far targets are opened up.
type archiveFlags struct {
	none        bool
	passwords   []string
	mailTrusted []string
	depth       int
	members     int64
	ratio       int64
	total       size
	member      size
}

func (a *archiveFlags) register(f *pflag.FlagSet) {
	f.BoolVar(&a.none, "no-archives", false, "scan archives as the bytes they are, and mail too; do not open them")
	f.StringArrayVar(&a.passwords, "password", []string{"infected"}, "password tried on encrypted members; may be repeated")
	f.StringSliceVar(&a.mailTrusted, "mail-trusted", nil, "mail server whose Authentication-Results are believed, because it removes those that others forge; may be repeated")
	f.IntVar(&a.depth, "archive-depth", 8, "levels of archives in archives that are opened")
	f.Int64Var(&a.members, "archive-members", 1_000_000, "members read of one archive, at all levels")
	f.Int64Var(&a.ratio, "archive-ratio", 200, "bytes unpacked for each byte of an archive, at all levels, beyond the first 256 MiB")
	a.total, a.member = 8<<30, 256<<20
	f.Var(&a.total, "archive-bytes", "bytes unpacked of one archive, at all levels")
	f.Var(&a.member, "archive-member-size", "how much of a member is unpacked into memory at once; what is larger is searched in windows")
}

func (a *archiveFlags) expanders() []besra.Expander {
	if a.none {
		return nil
	}
	return []besra.Expander{capture.Expander{}, icap.Expander{}, mail.New(mail.Config{Trusted: a.mailTrusted}), archive.New(archive.Config{Passwords: a.passwords})}
}

func (a *archiveFlags) limits() scan.Limits {
	return scan.Limits{Depth: a.depth, Members: a.members, Bytes: int64(a.total), Ratio: a.ratio, Member: int64(a.member)}
}
