// What a rule demands of the target before any search.
rule size { condition: filesize > 10 and filesize <= 1KB }
rule size_or { condition: filesize > 10 and filesize < 20 or filesize == 100 }
rule size_mirrored { condition: 10 < filesize }
rule size_unknown { condition: filesize < 20 or ext_bool }
rule magic { condition: uint16(0) == 0x5A4D }
rule magic_be { condition: uint32be(0) == 0x7F454C46 }
rule magic_mask { condition: uint32(0) & 0xFFFFFF == 0x464C45 }
rule magic_mirrored { condition: 0x5A4D == uint16(0) }
rule magic_signed { condition: int16(0) == -2 }
rule magic_impossible { condition: uint8(0) == 0x5A4D }
rule magic_or { condition: uint16(0) == 0x5A4D and filesize < 10 or uint16(0) == 0x5A4D and ext_bool }
rule magic_or_other { condition: uint16(0) == 0x5A4D or uint16(0) == 0x4B50 }
rule magic_far { condition: uint32(uint32(0x3C)) == 0x4550 }
rule literal_at { strings: $a = "MZ\x90\x00" condition: $a at 4 }
rule literal_at_fold { strings: $a = "Mz!" nocase condition: $a at 0 }
rule literal_at_both { strings: $a = "MZ\x90\x00" condition: $a at 4 and not $a at 0 }
rule through_reference { condition: magic and filesize < 5 }
rule negated { condition: not uint16(0) == 0x5A4D }
global rule global_gate { strings: $g = "global literal" condition: $g and filesize < 1MB }
