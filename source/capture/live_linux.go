package capture

import (
	"context"
	"fmt"

	"github.com/besra-hunt/besra"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// live is a packet socket on an interface.
type live struct{ *pcapgo.EthernetHandle }

func (live) LinkType() layers.LinkType { return layers.LinkTypeEthernet }

// listen opens a packet socket, which needs the right CAP_NET_RAW. The socket is
// closed when ctx ends, which ends a read that waits.
func listen(ctx context.Context, name string) (*input, error) {
	h, err := pcapgo.NewEthernetHandle(name)
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", name, err)
	}
	var drops uint64
	count := func() {
		if stats, err := h.Stats(); err == nil {
			drops += uint64(stats.Drops)
		}
	}
	counted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(counted)
		count() // a closed socket tells no more
		h.Close()
	})
	return &input{packets: live{h},
		close: func() {
			if stop() {
				h.Close()
			}
		},
		lost: func(to besra.Receiver, name string) {
			if ctx.Err() != nil {
				<-counted
			} else {
				count()
			}
			if drops > 0 {
				to.Gap(besra.Gap{Kind: besra.GapError, Target: besra.Text(name), Reason: ReasonDropped,
					Detail: "packets that came faster than they were read", Count: int64(drops)})
			}
		}}, nil
}
