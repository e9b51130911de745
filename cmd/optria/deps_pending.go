package main

// Removed as the kinds arrive.
import (
	_ "github.com/eclipse/paho.golang/autopaho"
)
