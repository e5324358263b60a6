rule folding { condition: filesize > 2 * 3 + 1 << 4 and -(-5) == ext_int and ~0 & 0xFF == ext_int and 7 \ 2 + 7 % 4 == ext_int }
rule keeps_undefined { condition: 1 \ 0 == ext_int or 1 % 0 == ext_int or not (1 \ 0 == 1) }
rule keeps_min_by_minus_one { condition: (-9223372036854775807 - 1) \ -1 == ext_int }
rule wraps { condition: 9223372036854775807 + 1 == ext_int }
rule promotes { condition: ext_int + 1.5 > 2 and 1 < ext_float }
rule drops_constants { condition: true and ext_bool and 1 == 1 and (false or filesize == 1) }
rule keeps_the_and { condition: not (true and uint8(filesize) == 1) }
rule always_false { condition: false and ext_bool }
rule texts { condition: ext_text == "a" and ext_text < "b" and "x" startswith ext_text and "x" iendswith ext_text and ext_text iequals "y" }
rule shifts { condition: 1 << 64 == ext_int and 1 >> 70 == ext_int and ext_int << 3 == 8 }
rule a1 { condition: filesize == 1 }
rule a2 { condition: filesize == 2 }
rule of_rules { condition: 2 of (a1, a2) and any of (a*) and 1 of (a1, filesize > 3, ext_bool) }
rule withs { condition: with x = filesize, y = 3, z = x + y : (z == x and y == 3) }
rule slots {
  condition:
    for all i in (1..3) : ( for any j in (i..5) : ( i == j ) ) and for any s in ("a", "b") : ( s == ext_text ) and
    for 2 f in (1.5, 2.5) : ( f > ext_float ) and for 50% i in (1, 2) : ( uint8(i) == 0 )
}
rule reads { condition: int8(0) == -1 and uint16be(0) == 0x4D5A and int32(4) == -2 and float64be(8) > 0 and uint32(0) & 0xFFFFFF == 0x4b50 }
