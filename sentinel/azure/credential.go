package azure

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Methods lists the ways to sign in: auto takes a secret, certificate or
// federated token where one is set, and else the managed identity of the
// machine or the account that the Azure CLI is signed in with.
func Methods() []string {
	return []string{"auto", "managed-identity", "workload-identity", "cli", "secret", "certificate"}
}

// fromEnv fills what a leaves empty from the environment, by the names that
// Microsoft's libraries use.
func (a Auth) fromEnv() Auth {
	a.Tenant = cmp.Or(a.Tenant, os.Getenv("AZURE_TENANT_ID"))
	a.ClientID = cmp.Or(a.ClientID, os.Getenv("AZURE_CLIENT_ID"))
	a.CertificateFile = cmp.Or(a.CertificateFile, os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH"))
	a.TokenFile = cmp.Or(a.TokenFile, os.Getenv("AZURE_FEDERATED_TOKEN_FILE"))
	return a
}

// secret returns the client's secret, "" where there is none.
func (a Auth) secret() (string, error) {
	if a.SecretFile == "" {
		return os.Getenv("AZURE_CLIENT_SECRET"), nil
	}
	text, err := os.ReadFile(a.SecretFile)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("%s holds no secret", a.SecretFile)
	}
	return secret, nil
}

// method returns the way to sign in that auto comes to; "" where none is set.
func (a Auth) method() string {
	switch {
	case a.Method != "" && a.Method != "auto":
		return a.Method
	case a.SecretFile != "" || os.Getenv("AZURE_CLIENT_SECRET") != "":
		return "secret"
	case a.CertificateFile != "":
		return "certificate"
	case a.TokenFile != "":
		return "workload-identity"
	}
	return ""
}

// credential makes the credential that the configuration asks for.
func credential(a Auth, c Cloud, transport *http.Client) (azcore.TokenCredential, error) {
	a = a.fromEnv()
	o := azcore.ClientOptions{Cloud: c.configuration(), Transport: transport, Retry: policy.RetryOptions{MaxRetries: 1}}
	if method := a.method(); method != "" {
		return a.named(method, o, c.Offline)
	}
	var sources []azcore.TokenCredential
	for _, method := range []string{"managed-identity", "cli"} {
		s, err := a.named(method, o, c.Offline)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	return azidentity.NewChainedTokenCredential(sources, nil)
}

func (a Auth) named(method string, o azcore.ClientOptions, offline bool) (azcore.TokenCredential, error) {
	switch method {
	case "managed-identity":
		mi := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o}
		mi.Retry = policy.RetryOptions{}
		if a.ClientID != "" {
			mi.ID = azidentity.ClientID(a.ClientID)
		}
		return azidentity.NewManagedIdentityCredential(mi)
	case "workload-identity":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: o,
			ClientID: a.ClientID, TenantID: a.Tenant, TokenFilePath: a.TokenFile, DisableInstanceDiscovery: offline})
	case "cli":
		return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: a.Tenant})
	case "secret":
		return a.withSecret(o, offline)
	case "certificate":
		return a.withCertificate(o, offline)
	}
	return nil, fmt.Errorf("method %q: want %s", method, strings.Join(Methods(), ", "))
}

func (a Auth) withSecret(o azcore.ClientOptions, offline bool) (azcore.TokenCredential, error) {
	secret, err := a.secret()
	if err == nil && secret == "" {
		err = errors.New("a secret is asked for and none is set: name its file as auth.secret_file, or set AZURE_CLIENT_SECRET")
	}
	if err == nil {
		err = a.application()
	}
	if err != nil {
		return nil, err
	}
	return azidentity.NewClientSecretCredential(a.Tenant, a.ClientID, secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: offline})
}

func (a Auth) withCertificate(o azcore.ClientOptions, offline bool) (azcore.TokenCredential, error) {
	if err := a.application(); err != nil {
		return nil, err
	}
	if a.CertificateFile == "" {
		return nil, errors.New("a certificate is asked for and none is set: name its file as auth.certificate_file, or set AZURE_CLIENT_CERTIFICATE_PATH")
	}
	text, err := os.ReadFile(a.CertificateFile)
	if err != nil {
		return nil, err
	}
	certs, key, err := azidentity.ParseCertificates(text, []byte(os.Getenv("AZURE_CLIENT_CERTIFICATE_PASSWORD")))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.CertificateFile, err)
	}
	return azidentity.NewClientCertificateCredential(a.Tenant, a.ClientID, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: offline})
}

// application wants the names that a secret or certificate belongs to.
func (a Auth) application() error {
	return need("to sign in as an application", field{"auth.tenant (AZURE_TENANT_ID)", a.Tenant}, field{"auth.client_id (AZURE_CLIENT_ID)", a.ClientID})
}

// roots returns the authorities of the system with those of a PEM file.
func roots(name string) (*x509.CertPool, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", name)
	}
	return pool, nil
}

// Check says what is wrong with a way to sign in, before it is tried.
func (a Auth) Check() error {
	if a.Method != "" && !slices.Contains(Methods(), a.Method) {
		return fmt.Errorf("auth method %q: want %s", a.Method, strings.Join(Methods(), ", "))
	}
	return nil
}
