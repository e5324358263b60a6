package azure

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/goccy/go-yaml"
)

// Cloud holds the endpoints of one Azure cloud, and for whom its tokens are.
type Cloud struct {
	Name string `yaml:"name"`
	// Authority is where tokens come from.
	Authority string `yaml:"authority"`
	// Manager is the endpoint of Azure Resource Manager; ManagerScope, as the
	// other scopes, is what a token for it is asked for.
	Manager      string `yaml:"resource_manager"`
	ManagerScope string `yaml:"resource_manager_scope"`
	// IngestionScope is for the Logs Ingestion API, whose endpoint each data
	// collection rule has of its own.
	IngestionScope string `yaml:"ingestion_scope"`
	// Query is the endpoint of the Log Analytics query API.
	Query      string `yaml:"query"`
	QueryScope string `yaml:"query_scope"`
	// CA is a PEM file of the authorities that vouch for these endpoints,
	// besides those of the system; relative to the file that names it.
	CA string `yaml:"ca"`
	// Offline says that the authority is not known to Microsoft's directory of
	// authorities and is not to be looked up there.
	Offline bool `yaml:"offline"`
}

// The clouds, by the endpoints that Microsoft publishes (Azure Monitor, "Logs
// Ingestion API", "Access the API"; Azure Government and Azure operated by
// 21Vianet, "Compare").
var clouds = []Cloud{
	{Name: "public", Authority: "https://login.microsoftonline.com/",
		Manager: "https://management.azure.com", ManagerScope: "https://management.azure.com/.default",
		IngestionScope: "https://monitor.azure.com/.default",
		Query:          "https://api.loganalytics.io", QueryScope: "https://api.loganalytics.io/.default"},
	{Name: "government", Authority: "https://login.microsoftonline.us/",
		Manager: "https://management.usgovcloudapi.net", ManagerScope: "https://management.usgovcloudapi.net/.default",
		IngestionScope: "https://monitor.azure.us/.default",
		Query:          "https://api.loganalytics.us", QueryScope: "https://api.loganalytics.us/.default"},
	{Name: "china", Authority: "https://login.chinacloudapi.cn/",
		Manager: "https://management.chinacloudapi.cn", ManagerScope: "https://management.chinacloudapi.cn/.default",
		IngestionScope: "https://monitor.azure.cn/.default",
		Query:          "https://api.loganalytics.azure.cn", QueryScope: "https://api.loganalytics.azure.cn/.default"},
}

// CloudNames lists the clouds that are known by name.
func CloudNames() []string {
	var names []string
	for _, c := range clouds {
		names = append(names, c.Name)
	}
	return names
}

// CloudNamed returns the cloud of that name, public where it is empty, or reads
// the YAML file of that name: a cloud of one's own.
func CloudNamed(name string) (Cloud, error) {
	if name == "" {
		name = "public"
	}
	if i := slices.IndexFunc(clouds, func(c Cloud) bool { return c.Name == name }); i >= 0 {
		return clouds[i], nil
	}
	if !strings.ContainsAny(name, "./\\") {
		return Cloud{}, fmt.Errorf("cloud %q: want %s, or a file with the endpoints of another", name, strings.Join(CloudNames(), ", "))
	}
	return readCloud(name)
}

func readCloud(name string) (Cloud, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return Cloud{}, fmt.Errorf("cloud: %w", err)
	}
	var c Cloud
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict()); err != nil {
		return Cloud{}, fmt.Errorf("cloud %s: %w", name, err)
	}
	for _, part := range []struct{ key, value string }{{"authority", c.Authority}, {"resource_manager", c.Manager},
		{"resource_manager_scope", c.ManagerScope}, {"ingestion_scope", c.IngestionScope}, {"query", c.Query}, {"query_scope", c.QueryScope}} {
		if !strings.HasPrefix(part.value, "https://") {
			return Cloud{}, fmt.Errorf("cloud %s: %s is %q: want an https address", name, part.key, part.value)
		}
	}
	if c.CA != "" && !filepath.IsAbs(c.CA) {
		c.CA = filepath.Join(filepath.Dir(name), c.CA)
	}
	return c, nil
}

// configuration is the cloud as azidentity wants it.
func (c Cloud) configuration() cloud.Configuration {
	return cloud.Configuration{ActiveDirectoryAuthorityHost: c.Authority, Services: map[cloud.ServiceName]cloud.ServiceConfiguration{}}
}
