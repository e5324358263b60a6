package main

import (
	"fmt"
	"io"
	"time"

	"github.com/besra-hunt/besra/detection"
)

// expiryWarning is how long before its end an exclusion is announced.
const expiryWarning = 14 * 24 * time.Hour

// printExpiry tells which exclusions of a set have lapsed, so that what they hid
// is reported again, and which are about to.
func printExpiry(w io.Writer, set *detection.Set, at time.Time) {
	for e := range set.Entries() {
		for _, x := range e.Exclusions {
			s := x.Spec()
			end, err := s.ExpiresAfter()
			switch {
			case err != nil || end.IsZero():
			case !at.Before(end):
				fmt.Fprintf(w, "expired: exclusion %s of %s lapsed after %s and hides nothing; %s renews or removes it\n",
					s.ID, e.Detection.ID, s.Expires, x.Renewer())
			case end.Sub(at) < expiryWarning:
				fmt.Fprintf(w, "expires soon: exclusion %s of %s works until %s; %s renews it or lets it lapse\n",
					s.ID, e.Detection.ID, s.Expires, x.Renewer())
			}
		}
	}
}
