package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/spf13/pflag"
)

// azureFlags say where a workspace is, and as whom to sign in. Secrets come
// from files and from the environment alone.
type azureFlags struct {
	file  string
	given azure.Config
}

func (a *azureFlags) register(f *pflag.FlagSet) {
	c := &a.given
	a.registerFile(f, "config")
	f.StringVar(&c.Cloud, "cloud", "", "public, government, china, or a file that describes a cloud (default public)")
	f.StringVar(&c.Subscription, "subscription", "", "subscription of the workspace, a GUID")
	f.StringVar(&c.ResourceGroup, "resource-group", "", "resource group of the workspace")
	f.StringVar(&c.Workspace, "workspace", "", "name of the Log Analytics workspace of Sentinel")
	f.StringVar(&c.Auth.Method, "auth", "", "how to sign in: "+strings.Join(azure.Methods(), ", ")+" (default auto)")
	f.StringVar(&c.Auth.Tenant, "tenant", "", "tenant to sign in to, a GUID")
	f.StringVar(&c.Auth.ClientID, "client-id", "", "application or managed identity to sign in as, a GUID")
	f.StringVar(&c.Auth.SecretFile, "secret-file", "", "file with the application's secret")
	f.StringVar(&c.Auth.CertificateFile, "certificate-file", "", "file with the application's certificate and key, PEM or PKCS#12")
	f.StringVar(&c.Auth.TokenFile, "token-file", "", "file with the federated token of a workload")
}

// azureConfigName is the file of a project that holds these settings. It is
// looked for in the working directory and those above.
const azureConfigName = ".besra-sentinel.yaml"

func (a *azureFlags) registerFile(f *pflag.FlagSet, name string) {
	f.StringVar(&a.file, name, "", "YAML file with where the workspace is and as whom to sign in; a flag goes before it (default: $BESRA_SENTINEL_CONFIG, or "+azureConfigName+" here or above)")
}

// config joins the flags with the file.
func (a *azureFlags) config() (azure.Config, error) {
	file := cmp.Or(a.file, os.Getenv("BESRA_SENTINEL_CONFIG"), findAbove(azureConfigName))
	if file == "" {
		return a.given, nil
	}
	c, err := azure.ReadConfig(file)
	return a.given.Or(c), err
}

// tellWaiting tells of each pause between two tries.
func tellWaiting(stdio stdio) azure.Waiting {
	return func(pause time.Duration, cause error) {
		fmt.Fprintf(stdio.err, "besra: waiting %s for Azure: %s\n", pause.Round(100*time.Millisecond), oneLine(cause))
	}
}
