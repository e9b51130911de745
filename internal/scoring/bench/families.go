package bench

// families are measured in this order; each is defined in the file of its name.
var families = []family{
	{name: "cmapss", folder: "cmapss", measure: measureCMAPSS},
	{name: "skab", folder: "skab", measure: measureSKAB},
	{name: "tep", folder: "tep", measure: measureTEP},
	{name: "nab", folder: "nab", measure: measureNAB},
	{name: "drift", folder: "gas_turbine_nox", measure: measureDrift},
	{name: "weibull", folder: "survival", measure: measureWeibull},
	{name: "cnaim", folder: "cnaim", measure: measureCNAIM},
	{name: "ai4i", folder: "ai4i", measure: measureAI4I},
	{name: "azure", folder: "azure_pdm", measure: measureAzure},
}
