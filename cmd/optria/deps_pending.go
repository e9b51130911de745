package main

// Removed as the kinds arrive.
import (
	_ "github.com/DataDog/go-sqllexer"
	_ "github.com/eclipse/paho.golang/autopaho"
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/gopcua/opcua"
	_ "github.com/microsoft/go-mssqldb"
	_ "github.com/ohler55/ojg/jp"
	_ "github.com/parquet-go/parquet-go"
	_ "github.com/sijms/go-ora/v2"
	_ "github.com/standard-webhooks/standard-webhooks/libraries/go"
)
