// Package all registers every connector of the product. Import it for its side
// effect where connectors are opened or listed.
package all

import (
	_ "github.com/optria-iq/optria/internal/connector/csvfile"   // kind "file"
	_ "github.com/optria-iq/optria/internal/connector/mqtt"      // kind "mqtt"
	_ "github.com/optria-iq/optria/internal/connector/opcua"     // kind "opcua"
	_ "github.com/optria-iq/optria/internal/connector/oracleeam" // kind "oracleeam"
	_ "github.com/optria-iq/optria/internal/connector/piwebapi"  // kind "piwebapi"
	_ "github.com/optria-iq/optria/internal/connector/rest"      // kind "rest"
	_ "github.com/optria-iq/optria/internal/connector/sap"       // kind "sap"
	_ "github.com/optria-iq/optria/internal/connector/simulate"  // kind "simulated"
	_ "github.com/optria-iq/optria/internal/connector/sqldb"     // kind "sql"
	_ "github.com/optria-iq/optria/internal/connector/webhook"   // kind "webhook"
)
