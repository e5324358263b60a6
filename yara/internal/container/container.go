// Package container takes apart files that hold files, from hostile bytes: OLE
// compound files ([ParseCompound]) and ZIP archives ([ParseZip]).
//
// Nothing is read before it is asked for, except for the tables of contents,
// whose size is bounded by the size of the file. Nothing is inflated beyond a
// limit that the caller gives. Streams and entries may overlap in a hostile
// file, so that a caller that reads many bounds their sum.
package container
