import "pe"

rule Few_Webshell_Php
{
    strings:
        $php = "<?php"
        $a = "eval(base64_decode(" nocase
        $b = "assert($_POST[" nocase
        $c = /preg_replace\s*\(\s*["']\/.{1,40}\/e["']/
    condition:
        filesize < 2MB and $php and any of ($a, $b, $c)
}

rule Few_Reverse_Shell
{
    strings:
        $a = "/dev/tcp/"
        $b = "bash -i >& "
        $c = "socket.socket(socket.AF_INET,socket.SOCK_STREAM)"
    condition:
        2 of them
}

rule Few_Ransom_Note
{
    strings:
        $a = "Your files have been encrypted" nocase wide ascii
        $b = "decryption key" nocase wide ascii
        $c = ".onion" nocase wide ascii
    condition:
        all of them
}

rule Few_Keylogger_Imports
{
    strings:
        $a = "GetAsyncKeyState"
        $b = "SetWindowsHookExA"
        $c = "[BACKSPACE]"
    condition:
        uint16(0) == 0x5A4D and all of them
}

rule Few_Upx_Packed
{
    strings:
        $a = "UPX0"
        $b = "UPX1"
        $c = "UPX!"
    condition:
        uint16(0) == 0x5A4D and pe.number_of_sections > 2 and all of them
}

rule Few_Elf_Miner
{
    strings:
        $a = "stratum+tcp://"
        $b = "xmrig" nocase
        $c = "donate-level"
    condition:
        uint32(0) == 0x464C457F and 2 of them
}

rule Few_Shellcode_Loader
{
    strings:
        $a = { FC E8 ?? 00 00 00 60 89 E5 31 ?? 64 8B }
        $b = { FC 48 83 E4 F0 E8 [4] 41 51 41 50 52 51 56 48 31 D2 }
    condition:
        any of them
}

rule Few_Xor_Url
{
    strings:
        $a = "http://www." xor(1-255)
        $b = "This program cannot be run in DOS mode" xor(1-255)
    condition:
        any of them
}

rule Few_Encoded_Command
{
    strings:
        $a = "powershell" nocase
        $b = /-e(nc|ncodedcommand)?\s+[A-Za-z0-9+\/=]{40,}/ nocase
        $c = "Invoke-Expression" base64 base64wide
    condition:
        $c or ($a and $b)
}

rule Few_Private_Key
{
    strings:
        $a = "-----BEGIN RSA PRIVATE KEY-----"
        $b = "-----BEGIN OPENSSH PRIVATE KEY-----"
        $c = "-----BEGIN EC PRIVATE KEY-----"
    condition:
        any of them
}
