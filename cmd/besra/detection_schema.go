package main

import (
	"github.com/besra-hunt/besra/detection"
	"github.com/spf13/cobra"
)

func detectionSchemaCommand(stdio stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a detection file",
		Long: `Print the JSON Schema of a detection file. An editor that knows it completes and checks fields;
with the YAML language server, begin a file with
# yaml-language-server: $schema=detection.schema.json`,
		Example: "  besra detection schema > detection.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := stdio.out.Write(detection.Schema())
			return err
		},
	}
}
