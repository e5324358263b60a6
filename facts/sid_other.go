//go:build !windows

package facts

import (
	"context"

	"github.com/besra-hunt/besra"
)

func (f *File) sidFact(context.Context) besra.Fact {
	return unknown("only Windows knows security identifiers")
}

func (f *File) sidName() besra.Fact { return unknown(errNoOwner.Error()) }

func volumeFact(string, string) besra.Fact { return unknown("only Windows knows volumes") }
