package standin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The audiences of tokens, as in the public cloud.
const (
	ManagerAudience   = "https://management.azure.com"
	IngestionAudience = "https://monitor.azure.com"
	QueryAudience     = "https://api.loganalytics.io"
)

// The roles that the server asks for.
const (
	RolePublisher   = "Monitoring Metrics Publisher"
	RoleContributor = "Microsoft Sentinel Contributor"
	RoleReader      = "Log Analytics Reader"
)

// client is an application that may sign in.
type client struct {
	secret string
	roles  []string
}

type token struct {
	client   string
	audience string
	expires  time.Time
}

// lifetime is how long a token is good for.
const lifetime = time.Hour

// AddClient lets an application sign in with a secret. Without roles it has all
// of them. Adding it again changes both.
func (s *Server) AddClient(id, secret string, roles ...string) {
	if len(roles) == 0 {
		roles = []string{RolePublisher, RoleContributor, RoleReader}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[id] = &client{secret, roles}
}

// Token returns a token of a client for an audience.
func (s *Server) Token(client, audience string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.ReplaceAll(randomID()+randomID(), "-", "")
	s.tokens[text] = token{client, audience, time.Now().Add(lifetime)}
	return text
}

// Revoke makes every token invalid that was given out so far.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// authority answers what a library asks that signs in with a client's secret.
func (s *Server) authority(r *http.Request, body []byte) (*reply, error) {
	tenant, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if strings.HasSuffix(rest, "openid-configuration") {
		base := s.URL + "/" + tenant
		return &reply{200, nil, map[string]any{"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token",
			"authorization_endpoint": base + "/oauth2/v2.0/authorize", "jwks_uri": base + "/keys"}}, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Method != http.MethodPost {
		return oauthError("invalid_request", "the request cannot be read")
	}
	id := form.Get("client_id")
	s.mu.Lock()
	c := s.clients[id]
	s.mu.Unlock()
	switch {
	case form.Get("grant_type") != "client_credentials":
		return oauthError("unsupported_grant_type", "AADSTS70003: the grant type is not supported")
	case c == nil:
		return oauthError("unauthorized_client", "AADSTS700016: the application was not found in the directory")
	case form.Get("client_secret") != c.secret:
		return oauthError("invalid_client", "AADSTS7000215: Invalid client secret provided.")
	}
	for _, scope := range strings.Fields(form.Get("scope")) {
		if audience, ok := strings.CutSuffix(scope, "/.default"); ok {
			return &reply{200, nil, map[string]any{"token_type": "Bearer", "expires_in": int(lifetime.Seconds()),
				"access_token": s.Token(id, audience)}}, nil
		}
	}
	return oauthError("invalid_scope", "AADSTS70011: the scope is not valid")
}

func oauthError(code, text string) (*reply, error) {
	status := http.StatusBadRequest
	if code == "invalid_client" || code == "unauthorized_client" {
		status = http.StatusUnauthorized
	}
	return &reply{status, nil, map[string]string{"error": code, "error_description": text}}, nil
}

// authorize wants a token for an audience, of a client that has a role.
func (s *Server) authorize(r *http.Request, audience, role string) error {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return fail(http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[text]
	switch {
	case !ok:
		return fail(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid.")
	case time.Now().After(t.expires):
		return fail(http.StatusUnauthorized, "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.")
	case strings.TrimSuffix(t.audience, "/") != audience:
		return fail(http.StatusUnauthorized, "InvalidAuthenticationTokenAudience",
			"The access token has been obtained for wrong audience or resource '%s'.", t.audience)
	}
	if c := s.clients[t.client]; c != nil && !slices.Contains(c.roles, role) {
		if role == RolePublisher {
			return fail(http.StatusForbidden, "OperationFailed",
				"The authentication token provided does not have access to ingest data for the data collection rule.")
		}
		return fail(http.StatusForbidden, "AuthorizationFailed", "The client '%s' does not have authorization to perform the action over scope '%s'.", t.client, r.URL.Path)
	}
	return nil
}
