package content

import (
	"fmt"
	"time"

	"github.com/besra-hunt/besra"
	"github.com/besra-hunt/besra/detection"
)

// ExclusionLabel marks the incidents that automation rules close, so that what
// they say is not taken for the word of an analyst.
const ExclusionLabel = "besra-exclusion"

// automationRules closes incidents of the rule for suppressed findings as
// benign, with the reason of the exclusion, until it lapses: Sentinel's own
// form of a time-boxed exception, with its trail of who let what pass and why.
func (b *builder) automationRules(ds []*detection.Entry) {
	order := 0
	for _, e := range ds {
		for _, x := range e.Exclusions {
			s := x.Spec()
			end, err := s.ExpiresAfter()
			if s.Effect != besra.EffectSuppress && s.Effect != "" || err != nil || end.IsZero() || s.Owner == "" || s.Reason == "" {
				continue
			}
			order++
			title := "Besra: " + e.Detection.ID + "/" + s.ID
			ticket := ""
			if s.Ticket != "" {
				ticket = ", ticket " + s.Ticket
			}
			comment := fmt.Sprintf("Exclusion %s of %s, owner %s%s, until %s: %s", s.ID, e.Detection.ID, s.Owner, ticket, s.Expires, s.Reason)
			b.add(&Resource{Kind: AutomationRule, Name: GUID("automationRules/" + e.Detection.ID + "/" + s.ID), Title: title, Detection: e.Detection.ID,
				Properties: Object{"displayName": title, "order": order,
					"triggeringLogic": Object{"isEnabled": true, "expirationTimeUtc": end.Format(time.RFC3339), "triggersOn": "Incidents", "triggersWhen": "Created",
						"conditions": []any{
							condition("IncidentRelatedAnalyticRuleIds", "Contains", string(PlaceAlertRule)+GUID("alertRules/findings-suppressed")),
							condition("IncidentCustomDetailsKey", "Equals", "ExclusionId"),
							condition("IncidentCustomDetailsValue", "Equals", e.Detection.ID+"/"+s.ID),
						}},
					"actions": []any{Object{"order": 1, "actionType": "ModifyProperties", "actionConfiguration": Object{
						"status": "Closed", "classification": "BenignPositive", "classificationReason": "SuspiciousButExpected", "classificationComment": comment,
						"labels": []any{Object{"labelName": ExclusionLabel}}}}},
				}})
		}
	}
}

func condition(property, operator, value string) Object {
	return Object{"conditionType": "Property", "conditionProperties": Object{"propertyName": property, "operator": operator, "propertyValues": []any{value}}}
}
