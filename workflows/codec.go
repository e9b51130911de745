package workflows

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

// Metadata of an encrypted payload.
const (
	encodingEncrypted = "binary/encrypted"
	metadataKeyID     = "key-id"
)

// Codec encrypts the payloads of workflow histories with AES-256 in
// Galois/counter mode, so that Temporal's store and its UI show no tenant
// data. The key id travels in the metadata: a rotated key still opens what an
// older one wrote. It never looks at workflow ids, because the codec server
// of the Temporal UI knows only the namespace.
type Codec struct {
	active  string
	ciphers map[string]cipher.AEAD
}

var _ converter.PayloadCodec = (*Codec)(nil)

// NewCodec returns a codec that writes with the active key and reads with any
// of the keys. Keys have 32 bytes.
func NewCodec(active []byte, older ...[]byte) (*Codec, error) {
	c := &Codec{active: keyID(active), ciphers: map[string]cipher.AEAD{}}
	for _, key := range append([][]byte{active}, older...) {
		if len(key) != 32 {
			return nil, fmt.Errorf("payload key has %d bytes, want 32", len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("build payload cipher: %w", err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("build payload cipher: %w", err)
		}
		c.ciphers[keyID(key)] = aead
	}
	return c, nil
}

// keyID names a key by the first eight bytes of its digest, which tell nothing
// about the key itself.
func keyID(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// Encode implements converter.PayloadCodec.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	aead := c.ciphers[c.active]
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("encode payload: %w", err)
		}
		nonce := make([]byte, aead.NonceSize())
		if _, err := rand.Read(nonce); err != nil {
			return nil, fmt.Errorf("draw nonce: %w", err)
		}
		out[i] = &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encodingEncrypted), metadataKeyID: []byte(c.active)},
			Data:     aead.Seal(nonce, nonce, plain, []byte(c.active)),
		}
	}
	return out, nil
}

// Decode implements converter.PayloadCodec. Payloads of other encodings pass
// unchanged.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != encodingEncrypted {
			out[i] = p
			continue
		}
		opened, err := c.open(p)
		if err != nil {
			return nil, fmt.Errorf("decode payload: %w", err)
		}
		out[i] = opened
	}
	return out, nil
}

func (c *Codec) open(p *commonpb.Payload) (*commonpb.Payload, error) {
	id := string(p.GetMetadata()[metadataKeyID])
	aead, ok := c.ciphers[id]
	if !ok {
		return nil, fmt.Errorf("unknown payload key %q", id)
	}
	if len(p.GetData()) < aead.NonceSize() {
		return nil, errors.New("payload shorter than its nonce")
	}
	nonce, sealed := p.GetData()[:aead.NonceSize()], p.GetData()[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, sealed, []byte(id))
	if err != nil {
		return nil, fmt.Errorf("open payload: %w", err)
	}
	opened := &commonpb.Payload{}
	if err := proto.Unmarshal(plain, opened); err != nil {
		return nil, fmt.Errorf("read payload: %w", err)
	}
	return opened, nil
}

// converters returns the data converter and the failure converter that share
// the codec; the latter hides error texts and stack traces as well.
func converters(codec converter.PayloadCodec) (converter.DataConverter, converter.FailureConverter) {
	data := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), codec)
	failures := temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter: data, EncodeCommonAttributes: true,
	})
	return data, failures
}
