package main

import (
	"github.com/spf13/cobra"
)

func detectionCommand(stdio stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "detection", Short: "Import and test detections"}
	cmd.AddCommand(detectionImportCommand(stdio), detectionTestCommand(stdio), detectionSchemaCommand(stdio),
		detectionExplainCommand(stdio), detectionDocCommand(stdio), detectionCoverageCommand(stdio), detectionNewCommand(stdio))
	return cmd
}

func detectionImportCommand(stdio stdio) *cobra.Command {
	var o importOptions
	var filters []string
	cmd := &cobra.Command{
		Use:   "import PAGE|RULES…",
		Short: "Make detections of catalogue pages and rule repositories",
		Long: `Read catalogue pages (hypothesis, rule, false-positive scenarios; plain text, Markdown or HTML by
the ending of the name) and write for each a detection: a YAML file beside the .yar file of its
rule. The exclusions are drafts: what could not be translated, and what the linter says of the
rest, is printed.

A .yar file, or a folder with some, is a rule repository: a pack is written with a detection for
each rule, filled with what the rule's meta says (severity, score, ATT&CK, licence, author, hashes,
references, TLP) and the contexts that follow from its compiled form. A folder without rule files
is a folder of pages; one that cannot be read does not stop the others.

With --filter, the filters of another tool are printed as scenarios, to be put into a detection.
What they say exactly is drafted as an exclusion; what they do not is kept as a question, and told
on standard error with its line. A draft hides nothing until it has an owner, a reason, an expiry.`,
		Example: "  besra detection import page.txt --dir detections\n  besra detection import signature-base/ --source https://github.com/Neo23x0/signature-base --dir pack",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(filters) > 0 {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.MinimumNArgs(1)(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(filters) > 0 {
				return importFilters(stdio, filters)
			}
			return importAll(stdio, args, o)
		},
	}
	cmd.Flags().StringVarP(&o.dir, "dir", "d", ".", "directory to write to; it is made where it is absent")
	cmd.Flags().StringArrayVar(&filters, "filter", nil, "file of Sigma filters (.yml, .yaml) or of THOR's false-positive filters, to print as scenarios")
	cmd.Flags().BoolVar(&o.force, "force", false, "replace files that exist")
	cmd.Flags().StringVar(&o.source, "source", "", "address of the rule repository, kept as the provenance of its rules")
	return cmd
}
