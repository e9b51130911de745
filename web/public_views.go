package web

// LoginView is the Data of public/login. Error and Notice are translated.
type LoginView struct {
	User, Next    string
	Error, Notice string
}

// PasswordView is the Data of public/change-password. Forced hides the
// current password after a one-time login. Errors maps a field (current, new,
// repeat) to a translated text.
type PasswordView struct {
	Forced bool
	Error  string
	Errors map[string]string
}

// DemoView is the Data of public/demo-request. Errors maps a field (name,
// company, email, phone, industry, message) to a translated text.
type DemoView struct {
	Sent                                           bool
	Name, Company, Email, Phone, Industry, Message string
	Industries                                     []Option // from Industries
	Errors                                         map[string]string
}

// Option is one choice of a select.
type Option struct{ Value, Label string }

// Industries lists the sectors of the demo form and of tenants, translated.
func Industries(p Page) []Option {
	var out []Option
	for _, code := range []string{"oil_gas", "petrochemical", "power", "water", "mining", "manufacturing", "other"} {
		out = append(out, Option{code, p.T("industry." + code)})
	}
	return out
}
