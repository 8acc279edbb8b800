<?php
/**
 * Forms of other plugins, sent on to Löfte's intake. Settings name which form is which: one line each,
 * `cf7:12 = contact; your-email = email; your-name = name; news ? newsletter/email`.
 *
 * @package Lofte
 */

namespace Lofte;

defined( 'ABSPATH' ) || exit;

final class Forms {
	public static function start(): void {
		add_action( 'wpcf7_before_send_mail', array( __CLASS__, 'cf7' ), 10, 3 );
		add_action( 'wpforms_process_complete', array( __CLASS__, 'wpforms' ), 10, 4 );
		add_action( 'fluentform/submission_inserted', array( __CLASS__, 'fluent' ), 10, 3 );
		add_action( 'elementor_pro/forms/new_record', array( __CLASS__, 'elementor' ), 10, 2 );
	}

	/** Contact Form 7: the form, whether to abort, the submission. */
	public static function cf7( $form, &$abort, $submission ): void {
		if ( ! self::send( 'cf7:' . $form->id(), (array) $submission->get_posted_data() ) ) {
			$abort = true;
			$submission->set_response( __( 'This could not be sent. Please try again.', 'lofte' ) );
		}
	}

	/** WPForms: fields by id, each with name and value. */
	public static function wpforms( $fields, $entry, $form, $entry_id ): void {
		$values = array();
		foreach ( (array) $fields as $id => $field ) {
			$values[ (string) $id ] = $field['value'] ?? '';
		}
		self::send( 'wpforms:' . ( $form['id'] ?? '' ), $values );
	}

	/** Fluent Forms: the id of the entry, its data, the form. */
	public static function fluent( $entry_id, $data, $form ): void {
		self::send( 'fluent:' . $form->id, (array) $data );
	}

	/** Elementor: a record with its fields by id. */
	public static function elementor( $record, $handler ): void {
		$values = array();
		foreach ( (array) $record->get( 'fields' ) as $id => $field ) {
			$values[ (string) $id ] = $field['value'] ?? '';
		}
		$name = (string) $record->get_form_settings( 'form_id' );
		if ( ! self::send( 'elementor:' . ( '' === $name ? $record->get_form_settings( 'id' ) : $name ), $values ) ) {
			$handler->add_error_message( __( 'This could not be sent. Please try again.', 'lofte' ) );
		}
	}

	/**
	 * What the settings say of a form; null when it is none of Löfte's.
	 *
	 * @return array{form: string, fields: array<string, string>, boxes: array<string, string>}|null
	 */
	public static function mapping( string $name ): ?array {
		foreach ( preg_split( '/\R/', Kit::settings()['forms'] ) as $line ) {
			$parts = array_map( 'trim', explode( ';', $line ) );
			list( $of, $form ) = array_pad( array_map( 'trim', explode( '=', array_shift( $parts ), 2 ) ), 2, '' );
			if ( $of !== $name || '' === $form ) {
				continue;
			}
			$fields = array();
			$boxes  = array();
			foreach ( $parts as $part ) {
				if ( preg_match( '/^(\S+)\s*=\s*(\S+)$/', $part, $pair ) ) {
					$fields[ $pair[1] ] = $pair[2];
				} elseif ( preg_match( '/^(\S+)\s*\?\s*(\S+\/\S+)$/', $part, $pair ) ) {
					$boxes[ $pair[1] ] = $pair[2];
				}
			}
			return array( 'form' => $form, 'fields' => $fields, 'boxes' => $boxes );
		}
		return null;
	}

	/**
	 * Send one form on. False when Löfte did not take it; a form that is not mapped is left alone.
	 *
	 * @param array<string, mixed> $sent
	 */
	public static function send( string $name, array $sent ): bool {
		$mapping = self::mapping( $name );
		if ( null === $mapping ) {
			return true;
		}
		$settings = Kit::settings();
		$path     = '/api/forms/' . rawurlencode( $settings['market'] ) . '/' . rawurlencode( $settings['locale'] ) . '/' . rawurlencode( $mapping['form'] ) . '/';
		$shown    = Kit::ask( 'GET', $path );
		$form     = is_wp_error( $shown ) ? null : json_decode( wp_remote_retrieve_body( $shown ), true );
		if ( ! is_array( $form ) || ! isset( $form['wording'] ) ) {
			return false;
		}
		$values = array();
		foreach ( $mapping['fields'] as $theirs => $ours ) {
			$value           = $sent[ $theirs ] ?? '';
			$values[ $ours ] = trim( is_array( $value ) ? implode( ', ', array_filter( $value, 'is_scalar' ) ) : (string) $value );
		}
		$boxes = array();
		foreach ( $mapping['boxes'] as $theirs => $pair ) {
			$value = $sent[ $theirs ] ?? '';
			if ( is_array( $value ) ? array_filter( $value ) : ! in_array( (string) $value, array( '', '0', 'no', 'off' ), true ) ) {
				list( $purpose, $channel ) = explode( '/', $pair, 2 );
				$boxes[]                   = array( 'purpose' => $purpose, 'channel' => $channel );
			}
		}
		$body   = array( 'values' => (object) $values, 'wording' => $form['wording'], 'boxes' => $boxes, 'page' => (string) wp_parse_url( (string) wp_get_referer(), PHP_URL_PATH ) );
		$answer = Kit::ask( 'POST', $path, array( 'headers' => array( 'content-type' => 'application/json', 'idempotency-key' => wp_generate_uuid4() ), 'body' => wp_json_encode( $body ) ) );
		return ! is_wp_error( $answer ) && 202 === wp_remote_retrieve_response_code( $answer );
	}
}
