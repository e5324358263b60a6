package site

import (
	"slices"
	"strings"

	"github.com/besra-hunt/besra/detection/attack"
)

// Column is a tactic of the matrix with the techniques that are covered.
type Column struct {
	Tactic attack.Object
	Cells  []Cell
	// Of is the number of techniques of the tactic, without sub-techniques.
	Of int
}

// Cell is a technique or sub-technique with the detections that name it.
type Cell struct {
	Technique attack.Object
	IDs       []string
}

// Coverage lists the detections of each technique that is named, by id.
func Coverage(pages []Page) map[string][]string {
	by := map[string][]string{}
	for _, p := range pages {
		for _, id := range p.Attack.Techniques {
			by[id] = append(by[id], p.ID)
		}
	}
	return by
}

// Matrix lays the coverage out by tactic.
func Matrix(pages []Page) []Column {
	by := Coverage(pages)
	var out []Column
	for _, tactic := range attack.Tactics() {
		c := Column{Tactic: tactic}
		for o := range attack.All() {
			if !slices.Contains(o.Tactics, tactic.ID) {
				continue
			}
			if !strings.Contains(o.ID, ".") {
				c.Of++
			}
			if len(by[o.ID]) > 0 {
				c.Cells = append(c.Cells, Cell{o, by[o.ID]})
			}
		}
		out = append(out, c)
	}
	return out
}

// layer is the format of ATT&CK Navigator, version 4.5.
type layer struct {
	Name        string            `json:"name"`
	Versions    map[string]string `json:"versions"`
	Domain      string            `json:"domain"`
	Description string            `json:"description"`
	Techniques  []layerTechnique  `json:"techniques"`
	Gradient    layerGradient     `json:"gradient"`
}

type layerTechnique struct {
	ID      string `json:"techniqueID"`
	Score   int    `json:"score"`
	Comment string `json:"comment"`
}

type layerGradient struct {
	Colors []string `json:"colors"`
	Min    int      `json:"minValue"`
	Max    int      `json:"maxValue"`
}

// Layer returns the coverage as a layer of ATT&CK Navigator; the score of a
// technique is the number of detections that name it.
func Layer(title string, pages []Page) any {
	by, most := Coverage(pages), 1
	l := layer{Name: title, Domain: "enterprise-attack", Description: "Detections by technique",
		Versions: map[string]string{"attack": strings.TrimSuffix(attack.Version, ".0"), "navigator": "5.1.0", "layer": "4.5"}, Techniques: []layerTechnique{}}
	for o := range attack.All() {
		if ids := by[o.ID]; len(ids) > 0 {
			most = max(most, len(ids))
			l.Techniques = append(l.Techniques, layerTechnique{o.ID, len(ids), strings.Join(ids, ", ")})
		}
	}
	l.Gradient = layerGradient{[]string{"#dbe9f6", "#08519c"}, 0, most}
	return l
}
