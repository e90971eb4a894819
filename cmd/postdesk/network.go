package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"postdesk/config"
	"postdesk/internal/desk"
)

// tlsFor trusts the system's authorities, and those of a file if one is named. nil means the defaults.
func tlsFor(host, caFile string) (*tls.Config, error) {
	if caFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", caFile)
	}
	return &tls.Config{RootCAs: pool, ServerName: host, MinVersion: tls.VersionTLS12}, nil
}

// makeResolver is where DKIM keys and DMARC policies are looked up: the system's resolver, a named server, or nobody.
func makeResolver(setting string) (desk.Resolver, error) {
	switch setting {
	case "off":
		return nil, nil
	case "":
		return net.DefaultResolver, nil
	}
	if _, _, err := net.SplitHostPort(setting); err != nil {
		return nil, fmt.Errorf("authenticity.resolver: %q is not host:port: %w", setting, err)
	}
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, setting)
	}
	return &net.Resolver{PreferGo: true, Dial: dial}, nil
}

// accessToken fetches access tokens with a refresh token (RFC 6749 §6). A server that rotates the refresh token gets the new
// one written back to its file, or the next start would fail.
func accessToken(o config.OAuth2) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		form, err := refreshForm(o)
		if err != nil {
			return "", err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.TokenURL, strings.NewReader(form.Encode()))
		if err != nil {
			return "", fmt.Errorf("oauth2 token: %w", err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
		if err != nil {
			return "", fmt.Errorf("oauth2 token: %w", err)
		}
		defer resp.Body.Close()
		return readToken(resp, o)
	}
}

func refreshForm(o config.OAuth2) (url.Values, error) {
	refresh, err := config.Secret(o.RefreshToken, o.RefreshTokenFile)
	if err != nil {
		return nil, fmt.Errorf("oauth2 refresh_token_file: %w", err)
	}
	secret, err := config.Secret(o.ClientSecret, o.ClientSecretFile)
	if err != nil {
		return nil, fmt.Errorf("oauth2 client_secret_file: %w", err)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {o.ClientID}, "refresh_token": {refresh}}
	if secret != "" {
		form.Set("client_secret", secret)
	}
	if o.Scope != "" {
		form.Set("scope", o.Scope)
	}
	return form, nil
}

func readToken(resp *http.Response, o config.OAuth2) (string, error) {
	var answer struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		Error        string `json:"error"`
		Description  string `json:"error_description"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 1<<20)).Decode(&answer); err != nil {
		return "", fmt.Errorf("oauth2 token: HTTP %d: %w", resp.StatusCode, err)
	}
	if answer.AccessToken == "" {
		return "", fmt.Errorf("oauth2 token: HTTP %d: %s %s", resp.StatusCode, answer.Error, answer.Description)
	}
	if answer.RefreshToken != "" && o.RefreshTokenFile != "" {
		if err := replaceFile(o.RefreshTokenFile, answer.RefreshToken); err != nil {
			return "", fmt.Errorf("oauth2 refresh_token_file: %w", err)
		}
	}
	return answer.AccessToken, nil
}

// replaceFile writes a secret so that a crash leaves either the old or the new one.
func replaceFile(file, secret string) error {
	tmp := file + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(secret + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}
