package crx

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
)

// proof is a public key and a signature made with its private key.
type proof struct {
	of             *extension
	key, signature []byte
	hash           crypto.Hash
	rsa            bool

	done, verified bool
}

func (p *proof) keyText() string { return base64.StdEncoding.EncodeToString(p.key) }

// verify reports whether the signature is one of the package.
func (p *proof) verify() bool {
	if !p.done {
		p.done, p.verified = true, p.check()
	}
	return p.verified
}

func (p *proof) check() bool {
	if len(p.key) > maxKey || len(p.signature) > maxKey {
		return false
	}
	key, err := x509.ParsePKIXPublicKey(p.key)
	if err != nil {
		return false
	}
	if p.of.digest == nil {
		p.of.digest = p.of.sum()
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		return p.rsa && rsa.VerifyPKCS1v15(key, p.hash, p.of.digest, p.signature) == nil
	case *ecdsa.PublicKey:
		return !p.rsa && ecdsa.VerifyASN1(key, p.of.digest, p.signature)
	}
	return false
}
