package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/besra-hunt/besra/sentinel/standin"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the goldens in the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"besra": main})
}

// TestScripts runs the command line as a person would; each script is a file
// in testdata/script. $EXAMPLES is the folder of examples, $ARCHIVES
// that of small archives, image.tar a container image, repo a
// git repository, $SEED the seed page
// where it is at hand.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"standin": cmdStandin, "portal": cmdPortal,
			"replace": cmdReplace, "fault": cmdFault, "role": cmdRole, "landed": cmdLanded, "incident": cmdIncident, "rowtype": cmdRowtype},
		Setup: func(env *testscript.Env) error {
			env.Values[standinKey{}] = new(*standin.Server)
			repo, err := filepath.Abs("../..")
			if err != nil {
				return err
			}
			env.Setenv("EXAMPLES", filepath.Join(repo, "examples"))
			env.Setenv("ARCHIVES", filepath.Join(repo, "source/archive/testdata"))
			if seeds, _ := filepath.Glob(filepath.Join(repo, "../shared/seed/*.txt")); len(seeds) > 0 {
				env.Setenv("SEED", seeds[0])
			}
			env.Setenv("GORACE", os.Getenv("GORACE"))
			saveImage(t, env.WorkDir)
			makeRepository(t, filepath.Join(env.WorkDir, "repo"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "seed":
				seeds, _ := filepath.Glob("../../../shared/seed/*.txt")
				return len(seeds) > 0, nil
			}
			return false, nil
		},
	})
}
