package account

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	headerTime = "X-Postdesk-Timestamp"
	headerSign = "X-Postdesk-Signature"
	headerKey  = "Idempotency-Key"
	skew       = 5 * time.Minute // how far a signature's time may be from ours
)

// signature covers everything that decides what a request does, so that none of it can be replaced or replayed later.
func signature(secret []byte, method, target, key string, unix int64, body []byte) string {
	sum := sha256.Sum256(body)
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s\n%s\n%d\n%s\n%s", method, target, unix, key, hex.EncodeToString(sum[:]))
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

func sign(r *http.Request, secret, body []byte, now time.Time) {
	r.Header.Set(headerTime, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(headerSign, signature(secret, r.Method, r.URL.RequestURI(), r.Header.Get(headerKey), now.Unix(), body))
}

// verify compares in constant time and refuses a time too far from ours. The signature header may hold several, separated by
// commas, while a secret is being changed.
func verify(r *http.Request, secret, body []byte, now time.Time) error {
	unix, err := strconv.ParseInt(r.Header.Get(headerTime), 10, 64)
	if err != nil || len(secret) == 0 {
		return ErrSignature
	}
	if d := now.Sub(time.Unix(unix, 0)); d > skew || d < -skew {
		return ErrSignature
	}
	want := signature(secret, r.Method, r.URL.RequestURI(), r.Header.Get(headerKey), unix, body)
	for _, got := range strings.Split(r.Header.Get(headerSign), ",") {
		if hmac.Equal([]byte(strings.TrimSpace(got)), []byte(want)) {
			return nil
		}
	}
	return ErrSignature
}
