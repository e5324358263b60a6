package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/besra-hunt/besra/sentinel/azure"
	"github.com/besra-hunt/besra/sentinel/content"
	"github.com/besra-hunt/besra/sentinel/deploy"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// deployment is what plan, apply and destroy have in common.
type deployment struct {
	content    contentFlags
	workspace  azureFlags
	deleteData bool
	overwrite  bool
	approve    bool
}

func (d *deployment) register(f *pflag.FlagSet) {
	d.workspace.register(f)
	f.BoolVar(&d.deleteData, "delete-data", false, "also delete the table of findings, with its rows")
}

func (d *deployment) registerApply(f *pflag.FlagSet) {
	f.BoolVar(&d.overwrite, "overwrite-edits", false, "change back what somebody changed in Sentinel since it was applied")
	f.BoolVar(&d.approve, "auto-approve", false, "do not ask before changing the workspace")
}

// read reads the workspace.
func (d *deployment) read(ctx context.Context, stdio stdio, b *content.Bundle) (*deploy.Deployment, error) {
	config, err := d.workspace.config()
	if err == nil {
		err = config.CheckWorkspace()
	}
	if err != nil {
		return nil, err
	}
	account, err := azure.Connect(config)
	if err != nil {
		return nil, err
	}
	return deploy.Read(ctx, account.Manager(azure.Options{Tries: managerTries, Waiting: tellWaiting(stdio)}), config, b)
}

// managerTries bounds how often one request to the resource manager is made.
const managerTries = 8

// run plans what brings the workspace to a bundle, shows it, and applies it.
func (d *deployment) run(ctx context.Context, stdio stdio, b *content.Bundle) error {
	at, err := d.read(ctx, stdio, b)
	if err != nil {
		return err
	}
	plan, err := at.Plan(b, d.deleteData)
	if err != nil {
		return err
	}
	printPlan(stdio.out, plan, false)
	if conflicts := plan.Conflicts(); len(conflicts) > 0 && !d.overwrite {
		return &hintError{&deploy.ConflictError{Changes: conflicts}, "--overwrite-edits changes them back; nothing was done"}
	}
	if !plan.Empty() && !d.approve {
		if err := confirm(stdio); err != nil {
			return err
		}
	}
	done := 0
	err = at.Apply(ctx, plan, d.overwrite, func(c *deploy.Change) {
		if c.Changes() {
			done++
			fmt.Fprintf(stdio.err, "%sd: %s %q\n", c.Action, c.Kind, c.Title)
		}
	})
	if err != nil {
		return &hintError{fmt.Errorf("after %d changes: %w", done, err), "what was done is on record: the next plan has the rest"}
	}
	fmt.Fprintf(stdio.out, "Applied: %d changes.\n", done)
	if c, ok := at.Collection(); ok {
		fmt.Fprintf(stdio.out, "Findings go to: endpoint %s, rule %s, stream %s\n", c.Endpoint, c.Rule, c.Stream)
	}
	return nil
}

// confirm asks whoever sits at the terminal.
func confirm(stdio stdio) error {
	f, ok := stdio.in.(*os.File)
	if !ok || !term.IsTerminal(f.Fd()) {
		return &hintError{errors.New("nobody is there to ask"), "--auto-approve applies without asking"}
	}
	fmt.Fprint(stdio.err, "Apply these changes? Only \"yes\" does it: ")
	var answer string
	fmt.Fscanln(stdio.in, &answer)
	if answer != "yes" {
		return errors.New("not confirmed: nothing was done")
	}
	return nil
}

func sentinelPlanCommand(stdio stdio) *cobra.Command {
	var d deployment
	var format string
	var fail bool
	cmd := &cobra.Command{
		Use:   "plan [PACK…]",
		Short: "Show what apply would change in the workspace",
		Long: `Compare the content of packs, the embedded one where none is named, with what is in the workspace,
and show what apply would create (+), change (~) and delete (-), attribute by attribute. What somebody
changed in Sentinel since it was applied is marked (!). Nothing is changed.`,
		Example: "  besra sentinel plan detections/ --config sentinel.yaml --fail-on-change",
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format %q: want text or json", format)
			}
			bundle, err := d.content.build(stdio, args)
			if err != nil {
				return err
			}
			at, err := d.read(cmd.Context(), stdio, bundle)
			if err != nil {
				return err
			}
			plan, err := at.Plan(bundle, d.deleteData)
			if err != nil {
				return err
			}
			if err := showPlan(stdio, plan, format); err != nil {
				return err
			}
			if fail && !plan.Empty() {
				return &exitError{exitFindings, nil}
			}
			return nil
		},
	}
	d.content.register(cmd.Flags())
	d.register(cmd.Flags())
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text or json")
	cmd.Flags().BoolVar(&fail, "fail-on-change", false, "exit with 1 where apply would change something")
	return cmd
}

func showPlan(stdio stdio, plan *deploy.Plan, format string) error {
	if format == "json" {
		enc := json.NewEncoder(stdio.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(plan)
	}
	return printPlan(stdio.out, plan, true)
}

func sentinelApplyCommand(stdio stdio) *cobra.Command {
	var d deployment
	cmd := &cobra.Command{
		Use:   "apply [PACK…]",
		Short: "Bring the workspace to what packs say",
		Long: `Bring the content of packs into the workspace, in the order in which things depend on each other.
Applied again, nothing changes. What is no longer in the packs is deleted, and nothing that besra did
not make; what somebody changed in Sentinel stays unless --overwrite-edits is given. What was applied
is on record in the watchlist besra-state.`,
		Example: "  besra sentinel apply detections/ --config sentinel.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			bundle, err := d.content.build(stdio, args)
			if err != nil {
				return err
			}
			return d.run(cmd.Context(), stdio, bundle)
		},
	}
	d.content.register(cmd.Flags())
	d.register(cmd.Flags())
	d.registerApply(cmd.Flags())
	return cmd
}

func sentinelDestroyCommand(stdio stdio) *cobra.Command {
	var d deployment
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Delete what apply has made",
		Long: `Delete from the workspace what besra sentinel apply has made, and nothing else. The table of findings
stays, with its rows, unless --delete-data is given.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return d.run(cmd.Context(), stdio, &content.Bundle{})
		},
	}
	d.register(cmd.Flags())
	d.registerApply(cmd.Flags())
	return cmd
}
