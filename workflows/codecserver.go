package workflows

import (
	"net/http"

	"go.temporal.io/sdk/converter"
)

// CodecHandler serves /encode and /decode for the Temporal UI of platform
// owners, so that they can read payloads in the browser. Only the exact
// origin of that UI is answered across origins; requests that name another
// origin are refused. Listen on a loopback or operator-only address.
func CodecHandler(codec *Codec, uiOrigin string) http.Handler {
	next := converter.NewPayloadCodecHTTPHandler(codec)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin != uiOrigin {
			http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", uiOrigin)
		h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "content-type, x-namespace")
		h.Set("Vary", "Origin")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 8<<20)
		next.ServeHTTP(w, r)
	})
}
