package content

import (
	"errors"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/exclusion"
	"github.com/besra-hunt/besra/exclusion/kql"
)

// compile turns an exclusion into a condition over the rows of a table.
func compile(*exclusion.Exclusion, kql.Table) (string, error) {
	return "", errors.New("this version does not compile exclusions to KQL: what the sensor decided stands")
}

// otherTable is a table besides that of findings, with the context that its
// rows are of.
type otherTable struct {
	kql.Table
	context besra.Context
}

func otherTables() []otherTable { return nil }
