package main

import (
	"github.com/spf13/cobra"
)

func sentinelCommand(stdio stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "sentinel", Short: "Bring detections, exclusions and findings into Microsoft Sentinel"}
	cmd.AddCommand(sentinelExportCommand(stdio), sentinelCheckCommand(stdio), sentinelPlanCommand(stdio), sentinelApplyCommand(stdio), sentinelDestroyCommand(stdio),
		sentinelShipCommand(stdio), sentinelSpoolCommand(stdio), sentinelDispositionsCommand(stdio))
	return cmd
}
