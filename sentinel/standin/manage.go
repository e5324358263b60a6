package standin

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Resource is what the resource manager keeps at a path.
type Resource map[string]any

// Kind is a type of resource that the server knows.
type Kind struct {
	// Type is the resource type, such as Microsoft.SecurityInsights/alertRules.
	Type string
	// Versions are the api-versions that it is answered in.
	Versions []string
	// Polls is how often an operation that writes it says "not yet"; 0 writes
	// it at once.
	Polls int
	// Put, if set, completes what was sent as the service does, or refuses it.
	Put func(s *Server, path string, r Resource) error
}

// store holds resources by their path in lower case: names of resources have no
// case.
type store struct {
	resources  map[string]Resource
	operations map[string]*operation
	kinds      []Kind
}

type operation struct{ polls int }

func newStore() store {
	return store{map[string]Resource{}, map[string]*operation{}, kinds()}
}

// The api-versions of securityinsights: what is only a preview needs a preview's.
var (
	stable  = []string{"2023-11-01", "2024-03-01", "2024-09-01", "2025-03-01", "2025-06-01", "2025-09-01"}
	preview = []string{"2025-07-01-preview", "2025-10-01-preview"}
)

// kinds lists the types of resources that besra writes or reads.
func kinds() []Kind {
	both := slices.Concat(stable, preview)
	return []Kind{
		{Type: "Microsoft.SecurityInsights/alertRules", Versions: both},
		{Type: "Microsoft.SecurityInsights/automationRules", Versions: both},
		{Type: "Microsoft.SecurityInsights/incidents", Versions: both},
		{Type: "Microsoft.SecurityInsights/watchlists", Versions: both, Put: (*Server).putWatchlist},
		{Type: "Microsoft.SecurityInsights/watchlists/watchlistItems", Versions: both},
		{Type: "Microsoft.SecurityInsights/hunts", Versions: preview},
		{Type: "Microsoft.SecurityInsights/hunts/relations", Versions: preview},
		{Type: "Microsoft.OperationalInsights/workspaces", Versions: []string{"2022-10-01", "2023-09-01", "2025-02-01", "2025-07-01"}},
		{Type: "Microsoft.OperationalInsights/workspaces/savedSearches", Versions: []string{"2020-08-01", "2023-09-01", "2025-02-01", "2025-07-01"}},
		{Type: "Microsoft.OperationalInsights/workspaces/tables", Versions: []string{"2022-10-01", "2023-09-01", "2025-02-01", "2025-07-01"}, Polls: 1},
		{Type: "Microsoft.Insights/dataCollectionRules", Versions: []string{"2022-06-01", "2023-03-11", "2024-03-11"}, Put: (*Server).putRule},
		{Type: "Microsoft.Insights/workbooks", Versions: []string{"2022-04-01", "2023-06-01"}},
	}
}

// place is a path at the resource manager, taken apart.
type place struct {
	path       string // as asked
	kind       string // type of the resource, or of the members of a collection
	name       string // of the resource; "" where it is a collection
	action     string // a POST's last part
	collection bool
}

// placeOf reads the part behind the last /providers/.
func placeOf(path string) (place, bool) {
	i := strings.LastIndex(strings.ToLower(path), "/providers/")
	if i < 0 {
		return place{}, false
	}
	part := strings.Split(path[i+len("/providers/"):], "/")
	if len(part) < 2 {
		return place{}, false
	}
	p := place{path: path, kind: part[0]}
	for n, text := range part[1:] {
		if n%2 == 0 {
			p.kind += "/" + text
		} else {
			p.name = text
		}
	}
	p.collection = len(part)%2 == 0
	return p, true
}

// manage answers as Azure Resource Manager.
func (s *Server) manage(r *http.Request, body []byte) (*reply, error) {
	if err := s.authorize(r, ManagerAudience, RoleContributor); err != nil {
		return nil, err
	}
	if strings.Contains(r.URL.Path, operationsPath) {
		return s.poll(r)
	}
	p, ok := placeOf(r.URL.Path)
	if !ok {
		return nil, fail(http.StatusNotFound, "InvalidResourceType", "There is no resource at '%s'.", r.URL.Path)
	}
	if r.Method == http.MethodPost {
		p.path, p.action = p.path[:strings.LastIndex(p.path, "/")], p.path[strings.LastIndex(p.path, "/")+1:]
		p.kind = strings.TrimSuffix(p.kind, "/"+p.action)
	}
	kind, err := s.kind(p.kind, r.URL.Query().Get("api-version"))
	if err != nil {
		return nil, err
	}
	switch {
	case r.Method == http.MethodGet && p.collection:
		return s.list(r, p)
	case r.Method == http.MethodGet:
		return s.get(p)
	case r.Method == http.MethodPut && !p.collection:
		return s.put(r, p, kind, body)
	case r.Method == http.MethodDelete && !p.collection:
		return s.delete(r, p)
	case r.Method == http.MethodPost && strings.EqualFold(p.action, "alerts"):
		return s.incidentAlerts(p)
	}
	return nil, fail(http.StatusMethodNotAllowed, "MethodNotAllowed", "Method %s is not allowed at '%s'.", r.Method, r.URL.Path)
}

// kind wants a type that is known, in an api-version that it has.
func (s *Server) kind(name, version string) (Kind, error) {
	if version == "" {
		return Kind{}, fail(http.StatusBadRequest, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	}
	i := slices.IndexFunc(s.store.kinds, func(k Kind) bool { return strings.EqualFold(k.Type, name) })
	if i < 0 {
		return Kind{}, fail(http.StatusNotFound, "InvalidResourceType", "The resource type '%s' could not be found.", name)
	}
	k := s.store.kinds[i]
	if !slices.Contains(k.Versions, version) {
		return k, fail(http.StatusBadRequest, "NoRegisteredProviderFound", "No registered resource provider found for API version '%s' for type '%s'. The supported api-versions are '%s'.",
			version, name, strings.Join(k.Versions, ", "))
	}
	return k, nil
}

func (s *Server) get(p place) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	res := s.store.resources[strings.ToLower(p.path)]
	if res == nil {
		return nil, missing(p)
	}
	return &reply{200, nil, res}, nil
}

func missing(p place) error {
	return fail(http.StatusNotFound, "ResourceNotFound", "The Resource '%s/%s' was not found.", p.kind, p.name)
}

// list answers with the members of a collection, page by page.
func (s *Server) list(r *http.Request, p place) (*reply, error) {
	keep, err := filterOf(r.URL.Query().Get("$filter"))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	prefix := strings.ToLower(p.path) + "/"
	var members []Resource
	for _, path := range slices.Sorted(maps.Keys(s.store.resources)) {
		rest, ok := strings.CutPrefix(path, prefix)
		if res := s.store.resources[path]; ok && !strings.Contains(rest, "/") && keep(res) {
			members = append(members, res)
		}
	}
	s.mu.Unlock()
	skip, _ := strconv.Atoi(r.URL.Query().Get("$skipToken"))
	size := s.o.PageSize
	if top, err := strconv.Atoi(r.URL.Query().Get("$top")); err == nil && top > 0 {
		size = min(size, top)
	}
	skip = min(max(skip, 0), len(members))
	page := map[string]any{"value": slices.Concat([]Resource{}, members[skip:min(skip+size, len(members))])}
	if skip+size < len(members) {
		q := r.URL.Query()
		q.Set("$skipToken", strconv.Itoa(skip+size))
		page["nextLink"] = s.URL + (&url.URL{Path: p.path}).EscapedPath() + "?" + q.Encode()
	}
	return &reply{200, nil, page}, nil
}

func (s *Server) put(r *http.Request, p place, k Kind, body []byte) (*reply, error) {
	var sent Resource
	if err := json.Unmarshal(body, &sent); err != nil || sent == nil {
		return nil, fail(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
	}
	if k.Put != nil {
		if err := k.Put(s, p.path, sent); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(p.path)
	old := s.store.resources[key]
	if err := matches(r, p, sent, old); err != nil {
		return nil, err
	}
	sent["id"], sent["name"], sent["type"], sent["etag"] = p.path, p.name, k.Type, `"`+randomID()+`"`
	s.store.resources[key] = sent
	status := http.StatusOK
	if old == nil {
		status = http.StatusCreated
	}
	if k.Polls == 0 {
		return &reply{status, nil, sent}, nil
	}
	return &reply{http.StatusAccepted, s.begin(p, k), sent}, nil
}

// matches holds a write to the etag that it names, in If-Match or, as
// securityinsights has it, in the body.
func matches(r *http.Request, p place, sent, old Resource) error {
	want := r.Header.Get("If-Match")
	if tag, ok := sent["etag"].(string); ok && want == "" {
		want = tag
	}
	if r.Header.Get("If-None-Match") == "*" && old != nil {
		return fail(http.StatusPreconditionFailed, "PreconditionFailed", "The resource '%s' exists.", p.name)
	}
	if want == "" || want == "*" || old != nil && strings.Trim(want, `"`) == strings.Trim(old["etag"].(string), `"`) {
		return nil
	}
	if strings.HasPrefix(strings.ToLower(p.kind), "microsoft.securityinsights/") {
		return fail(http.StatusConflict, "Conflict", "Newer instance of '%s' exists (Etag does not match). Data was not saved.", p.name)
	}
	return fail(http.StatusPreconditionFailed, "PreconditionFailed", "The condition '%s' of the request is not met.", want)
}

func (s *Server) delete(r *http.Request, p place) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(p.path)
	old := s.store.resources[key]
	if old == nil {
		return &reply{status: http.StatusNoContent}, nil
	}
	if err := matches(r, p, nil, old); err != nil {
		return nil, err
	}
	for path := range s.store.resources {
		if path == key || strings.HasPrefix(path, key+"/") {
			delete(s.store.resources, path)
		}
	}
	return &reply{status: http.StatusOK}, nil
}

const operationsPath = "/operationStatuses/"

// begin notes an operation; s.mu is held.
func (s *Server) begin(p place, k Kind) map[string]string {
	id := randomID()
	s.store.operations[id] = &operation{k.Polls}
	scope, _, _ := strings.Cut(p.path, "/resourceGroups/")
	return map[string]string{"Retry-After": "0",
		"Azure-AsyncOperation": s.URL + scope + "/providers/" + strings.SplitN(k.Type, "/", 2)[0] + operationsPath + id + "?api-version=" + k.Versions[0]}
}

// poll says how far an operation is.
func (s *Server) poll(r *http.Request) (*reply, error) {
	_, id, _ := strings.Cut(r.URL.Path, operationsPath)
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.store.operations[id]
	if op == nil {
		return nil, fail(http.StatusNotFound, "ResourceNotFound", "The operation '%s' was not found.", id)
	}
	state := "Succeeded"
	if op.polls > 0 {
		op.polls--
		state = "InProgress"
	}
	return &reply{200, map[string]string{"Retry-After": "0"}, map[string]string{"id": r.URL.Path, "name": id, "status": state}}, nil
}

// putRule completes a data collection rule with its immutable id and endpoint,
// and lets its streams be sent to.
func (s *Server) putRule(path string, r Resource) error {
	var sent struct {
		Properties struct {
			Streams map[string]struct {
				Columns []struct{ Name, Type string } `json:"columns"`
			} `json:"streamDeclarations"`
		} `json:"properties"`
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(text, &sent)
	}
	if err != nil {
		return fail(http.StatusBadRequest, "InvalidPayload", "The data collection rule cannot be read: %v", err)
	}
	properties, _ := r["properties"].(map[string]any)
	if properties == nil {
		return fail(http.StatusBadRequest, "InvalidPayload", "Data collection rule is invalid: 'properties' is missing.")
	}
	id := "dcr-" + strings.ReplaceAll(randomID(), "-", "")
	if old := s.Resource(path); old != nil {
		id, _ = old["properties"].(map[string]any)["immutableId"].(string)
	}
	properties["immutableId"] = id
	properties["provisioningState"] = "Succeeded"
	if kind, _ := r["kind"].(string); kind == "Direct" {
		properties["endpoints"] = map[string]any{"logsIngestion": s.URL}
	}
	for stream, d := range sent.Properties.Streams {
		columns := map[string]string{}
		for _, c := range d.Columns {
			columns[c.Name] = c.Type
		}
		s.AddRule(id, stream, columns)
	}
	return nil
}

// Resource returns what is kept at a path, or nil.
func (s *Server) Resource(path string) Resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store.resources[strings.ToLower(path)]
}

// SetResource puts something at a path, as if it had been there or somebody had
// edited it.
func (s *Server) SetResource(path string, r Resource) error {
	p, ok := placeOf(path)
	if !ok || p.collection {
		return fmt.Errorf("there can be no resource at %s", path)
	}
	r = maps.Clone(r)
	r["id"], r["name"], r["type"], r["etag"] = path, p.name, p.kind, `"`+randomID()+`"`
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store.resources[strings.ToLower(path)] = r
	return nil
}

// Paths lists the paths of everything that is kept, in lower case.
func (s *Server) Paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.store.resources))
}
