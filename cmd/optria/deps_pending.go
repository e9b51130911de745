package main

// Removed as the kinds arrive.
import (
	_ "github.com/eclipse/paho.golang/autopaho"
	_ "github.com/ohler55/ojg/jp"
	_ "github.com/parquet-go/parquet-go"
	_ "github.com/standard-webhooks/standard-webhooks/libraries/go"
)
