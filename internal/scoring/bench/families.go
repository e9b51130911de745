package bench

// families are measured in this order; each is defined in the file of its name.
var families = []family{
	{name: "drift", folder: "gas_turbine_nox", measure: measureDrift},
}
