package workflows

import (
	"net/http"

	"go.temporal.io/sdk/converter"
)

// maxDecodeBytes bounds what is decoded at once; a history page of the Temporal
// UI is far smaller.
const maxDecodeBytes = 8 << 20

// DecodeHandler answers POST /decode with the payloads of the request in clear,
// in the form that the Temporal UI asks for. It never encodes: nothing outside
// the product writes payloads. It does not ask who calls; the caller must.
func DecodeHandler(codec *Codec) http.Handler {
	decode := converter.NewPayloadCodecHTTPHandler(codec)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/decode" || r.Method != http.MethodPost {
			http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxDecodeBytes)
		w.Header().Set("Cache-Control", "no-store")
		decode.ServeHTTP(w, r)
	})
}

// OnlyFrom lets requests of one web origin pass, with their credentials, and
// refuses all others: those of other origins and those that name none.
func OnlyFrom(origin string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Vary", "Origin")
		if r.Header.Get("Origin") != origin {
			http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "content-type, x-namespace")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}
