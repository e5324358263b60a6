package content

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// templateSchema is the schema that deployment templates name.
const templateSchema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"

// Files are the files of an export by path.
type Files map[string][]byte

// ARM writes the bundle as Azure Resource Manager templates, in the layout of
// Sentinel Repositories: each file can be deployed on its own, takes the name
// of the workspace as the parameter "workspace", and those that Repositories
// does not deploy are left out in sentinel-deployment.config.
func (b *Bundle) ARM() (Files, error) {
	byFile := map[string][]*Resource{}
	var order []string
	for _, r := range b.Resources {
		file := r.file()
		if byFile[file] == nil {
			order = append(order, file)
		}
		byFile[file] = append(byFile[file], r)
	}
	files := Files{}
	for file, resources := range byFile {
		text, err := template(resources)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		files[file+".json"] = text
	}
	config, err := deploymentConfig(order, byFile)
	if err != nil {
		return nil, err
	}
	files["sentinel-deployment.config"] = config
	files["REPORT.md"] = []byte(b.Report.Markdown())
	return files, nil
}

// file is the path of a resource's template without its ending: one for each
// detection, or for each thing that all share.
func (r *Resource) file() string {
	name := r.Detection
	switch {
	case r.Kind == Table || r.Kind == CollectionRule:
		name = "besra-findings"
	case name == "":
		name = slug(r.Title)
	case r.Kind == Watchlist:
		name = r.Name
	}
	return r.Kind.Folder + "/" + name
}

// slug is a title as the name of a file.
func slug(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return strings.Join(words, "-")
}

// deploymentConfig tells Sentinel Repositories the order of the files that
// others need, and what to leave alone.
func deploymentConfig(order []string, byFile map[string][]*Resource) ([]byte, error) {
	config := struct {
		Prioritized []string          `json:"prioritizedcontentfiles"`
		Excluded    []string          `json:"excludecontentfiles"`
		Parameters  map[string]string `json:"parameterfilemappings"`
	}{[]string{}, []string{}, map[string]string{}}
	for _, file := range order {
		switch k := byFile[file][0].Kind; {
		case !k.Repositories:
			config.Excluded = append(config.Excluded, file+".json")
		case k == Function:
			config.Prioritized = append(config.Prioritized, file+".json")
		}
	}
	return indented(config)
}

func template(resources []*Resource) ([]byte, error) {
	parameters := Object{"workspace": Object{"type": "string", "metadata": Object{"description": "Name of the Log Analytics workspace of Sentinel."}}}
	var out []any
	for i, r := range resources {
		body := r.Body(armExpression)
		body["type"], body["apiVersion"], body["name"] = r.armType(), r.Kind.Version, r.armName()
		if dependencies := dependsOn(resources[:i], r); len(dependencies) > 0 {
			body["dependsOn"] = dependencies
		}
		if body["location"] != nil {
			parameters["location"] = Object{"type": "string", "defaultValue": "[resourceGroup().location]",
				"metadata": Object{"description": "Region of the workspace."}}
		}
		out = append(out, body)
	}
	return indented(Object{"$schema": templateSchema, "contentVersion": "1.0.0.0", "parameters": parameters, "resources": out})
}

// indented encodes for a person to read; members are sorted, and nothing is
// escaped for HTML.
func indented(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return buf.Bytes(), err
}

func (r *Resource) armType() string {
	if r.Kind.Security() {
		return workspaceType + "/providers/" + r.Kind.Segment()
	}
	return r.Kind.Type
}

func (r *Resource) armName() string {
	switch {
	case r.Kind.Security():
		return fmt.Sprintf("[concat(parameters('workspace'), '/%s/%s')]", securityType, r.Name)
	case r.Kind.InWorkspace():
		return fmt.Sprintf("[concat(parameters('workspace'), '/%s')]", r.Name)
	}
	return r.Name
}

// dependsOn lists what of the same file must be there before r.
func dependsOn(before []*Resource, r *Resource) []any {
	var out []any
	for _, other := range before {
		parent, _, child := strings.Cut(r.Name, "/")
		if r.Kind == CollectionRule && other.Kind == Table || child && other.Name == parent ||
			r.Kind == Function && strings.Contains(r.Query(), other.Alias()) {
			out = append(out, other.armID())
		}
	}
	return out
}

// Alias is the name by which queries call a function.
func (r *Resource) Alias() string {
	a, _ := r.Properties["functionAlias"].(string)
	return a
}

// armID is an expression for the identifier of a resource of a workspace.
func (r *Resource) armID() string {
	parts := []string{r.Name}
	if r.Kind.Security() {
		parts = append([]string{securityType}, strings.Split(r.Name, "/")...)
	}
	return fmt.Sprintf("[resourceId('%s', parameters('workspace'), '%s')]", r.armType(), strings.Join(parts, "', '"))
}

// armExpression writes a string for a template: a place as the expression that
// finds it, and everything else so that it is no expression.
func armExpression(s string) string {
	search, isSearch := strings.CutPrefix(s, string(PlaceSavedSearch))
	rule, isRule := strings.CutPrefix(s, string(PlaceAlertRule))
	switch {
	case s == string(PlaceWorkspace):
		return "[resourceId('" + workspaceType + "', parameters('workspace'))]"
	case s == string(PlaceLocation):
		return "[parameters('location')]"
	case isSearch:
		return (&Resource{Kind: HuntingQuery, Name: search}).armID()
	case isRule:
		return fmt.Sprintf("[concat(resourceId('%[1]s', parameters('workspace')), '/providers/%[2]s/alertRules/%[3]s')]", workspaceType, securityType, rule)
	case strings.HasPrefix(s, "["):
		return "[" + s
	}
	return s
}

// Body returns a copy of what the API takes: the members beside the properties
// and the properties, each string by way of text. A member that is nil is left
// out.
func (r *Resource) Body(text func(string) string) Object {
	body := replaced(r.Top, text).(Object)
	body["properties"] = replaced(r.Properties, text)
	return body
}

func replaced(v any, text func(string) string) any {
	switch v := v.(type) {
	case string:
		return text(v)
	case Object:
		out := Object{}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if v[key] != nil {
				out[key] = replaced(v[key], text)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = replaced(v[i], text)
		}
		return out
	}
	return v
}
