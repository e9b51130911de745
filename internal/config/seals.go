package config

import (
	"errors"
	"fmt"

	"github.com/optria-iq/optria/internal/dossier/seal"
)

// The variables that seals depend on.
const (
	secretVariable   = "JWT_SECRET_KEY"
	sealKeysVariable = "OPTRIA_SEAL_KEYS"
)

// Seals reads the keys of seals alone, by the rules of Load, for commands that
// need no more: the one that this deployment signs with, nil where its secret
// is not set, and the public ones that were used before.
func Seals(getenv func(string) string) (own *seal.Key, former seal.Keys, err error) {
	r := &reader{getenv: getenv}
	former = r.sealKeys(sealKeysVariable)
	if getenv(secretVariable) == "" {
		return nil, former, errors.Join(r.errs...)
	}
	secret := r.secret(secretVariable)
	if err := errors.Join(r.errs...); err != nil {
		return nil, nil, err
	}
	key, err := seal.DeriveKey(secret)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", secretVariable, err)
	}
	return &key, former, nil
}
