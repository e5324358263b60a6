package azure

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
)

// Config says where a workspace is and how to get at it. It holds no secret:
// those stand in files and in the environment.
type Config struct {
	// Cloud is public, government, china, or a file; see [CloudNamed].
	Cloud string `yaml:"cloud"`

	// Endpoint is where rows are sent: the logsIngestion endpoint of the data
	// collection rule, or of a data collection endpoint.
	Endpoint string `yaml:"endpoint"`
	// Rule is the immutable id of the data collection rule, dcr-….
	Rule string `yaml:"rule"`
	// Stream is the rule's stream that takes the rows.
	Stream string `yaml:"stream"`

	Subscription  string `yaml:"subscription"`
	ResourceGroup string `yaml:"resource_group"`
	// Workspace is the name of the Log Analytics workspace.
	Workspace string `yaml:"workspace"`
	// WorkspaceID is its id for queries, a GUID.
	WorkspaceID string `yaml:"workspace_id"`

	Auth Auth `yaml:"auth"`
}

// Auth says as whom to sign in.
type Auth struct {
	// Method is one of [Methods]; empty is auto.
	Method   string `yaml:"method"`
	Tenant   string `yaml:"tenant"`
	ClientID string `yaml:"client_id"`
	// SecretFile holds the client's secret, CertificateFile its certificate and
	// key (PEM or PKCS#12), TokenFile the federated token of a workload.
	SecretFile      string `yaml:"secret_file"`
	CertificateFile string `yaml:"certificate_file"`
	TokenFile       string `yaml:"token_file"`
}

// DefaultStream is the stream of the data collection rule that besra exports.
const DefaultStream = "Custom-BesraFindings_CL"

// ReadConfig reads a YAML file. Unknown keys are errors, and so is a key that
// looks as if it held a secret.
func ReadConfig(name string) (Config, error) {
	var c Config
	text, err := os.ReadFile(name)
	if err != nil {
		return c, err
	}
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict()); err != nil {
		return c, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// Or returns c with what it leaves empty taken from o.
func (c Config) Or(o Config) Config {
	return Config{
		Cloud: cmp.Or(c.Cloud, o.Cloud), Endpoint: cmp.Or(c.Endpoint, o.Endpoint), Rule: cmp.Or(c.Rule, o.Rule), Stream: cmp.Or(c.Stream, o.Stream),
		Subscription: cmp.Or(c.Subscription, o.Subscription), ResourceGroup: cmp.Or(c.ResourceGroup, o.ResourceGroup),
		Workspace: cmp.Or(c.Workspace, o.Workspace), WorkspaceID: cmp.Or(c.WorkspaceID, o.WorkspaceID),
		Auth: Auth{Method: cmp.Or(c.Auth.Method, o.Auth.Method), Tenant: cmp.Or(c.Auth.Tenant, o.Auth.Tenant),
			ClientID: cmp.Or(c.Auth.ClientID, o.Auth.ClientID), SecretFile: cmp.Or(c.Auth.SecretFile, o.Auth.SecretFile),
			CertificateFile: cmp.Or(c.Auth.CertificateFile, o.Auth.CertificateFile), TokenFile: cmp.Or(c.Auth.TokenFile, o.Auth.TokenFile)},
	}
}

// CheckIngestion says what is missing to send rows.
func (c Config) CheckIngestion() error {
	err := need("to send findings", field{"endpoint", c.Endpoint}, field{"rule", c.Rule})
	if err == nil && !strings.HasPrefix(c.Endpoint, "https://") {
		err = fmt.Errorf("the endpoint %q is no https address", c.Endpoint)
	}
	return err
}

// CheckWorkspace says what is missing to manage the content of the workspace.
func (c Config) CheckWorkspace() error {
	return need("to reach the workspace", field{"subscription", c.Subscription}, field{"resource-group", c.ResourceGroup}, field{"workspace", c.Workspace})
}

type field struct{ name, value string }

func need(what string, fields ...field) error {
	var missing []string
	for _, f := range fields {
		if f.value == "" {
			missing = append(missing, f.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return errors.New(strings.Join(missing, ", ") + " not set, which is needed " + what)
}

// WorkspacePath is the workspace's path at the resource manager.
func (c Config) WorkspacePath() string {
	return fmt.Sprintf("%s/providers/Microsoft.OperationalInsights/workspaces/%s", c.GroupPath(), c.Workspace)
}

// GroupPath is the path of the resource group at the resource manager.
func (c Config) GroupPath() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s", c.Subscription, c.ResourceGroup)
}
