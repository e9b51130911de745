package db

// SweepDetail is the detail column of ai.scoring_sweeps: what the record of a
// sweep says beside its numbers.
type SweepDetail struct {
	Rejected []SweepRejected `json:"rejected"`
	Failed   []SweepFailed   `json:"failed"`
	Failures int             `json:"failures"` // assets that could not be scored, also those not named
}

// SweepRejected names a signal with unusable readings and counts them.
type SweepRejected struct {
	Tag       string `json:"tag"`
	Metric    string `json:"metric"`
	NotFinite int    `json:"not_finite"`
	Bad       int    `json:"bad"`
	Duplicate int    `json:"duplicate"`
	Absurd    int    `json:"implausible"`
}

// SweepFailed names an asset that could not be scored.
type SweepFailed struct {
	Tag   string `json:"tag"`
	Error string `json:"error"`
}
